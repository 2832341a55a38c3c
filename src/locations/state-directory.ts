import { isAbsolute, join } from "node:path";
import { homeDirectory } from "./config-directory.ts";
import type { Environment } from "./environment.ts";

/** Where a gateway keeps its database, its sandboxes and its log: `$XDG_STATE_HOME/openshell`. */
export function stateDirectory(environment: Environment): string {
  const base = environment.XDG_STATE_HOME;
  return join(base && isAbsolute(base) ? base : join(homeDirectory(environment), ".local", "state"), "openshell");
}

/** The gateway's own log, the first place to look when it does not start. */
export function gatewayLogPath(stateDirectory: string): string {
  return join(stateDirectory, "gateway.log");
}
