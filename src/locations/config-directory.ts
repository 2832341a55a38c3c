import { userInfo } from "node:os";
import { isAbsolute, join } from "node:path";
import type { Environment } from "./environment.ts";

/**
 * Where the user's gateway entries are: `$XDG_CONFIG_HOME/openshell`, by default `~/.config/openshell`.
 * The XDG specification says that a relative value must be ignored.
 */
export function configDirectory(environment: Environment): string {
  const base = environment.XDG_CONFIG_HOME;
  return join(base && isAbsolute(base) ? base : join(homeDirectory(environment), ".config"), "openshell");
}

/** Entries made by the machine's administrator, with the same layout; looked at after the user's own. */
export function systemConfigDirectory(environment: Environment): string {
  return environment.OPENSHELL_SYSTEM_GATEWAY_DIR || "/etc/openshell";
}

/**
 * `$HOME`, or what the password database says where it is not set (a service, `env -i`). A relative one would be another
 * place for each program.
 */
export function homeDirectory(environment: Environment): string {
  const home = environment.HOME;
  return home && isAbsolute(home) ? home : userInfo().homedir;
}
