/**
 * The host keys of sandboxes, as OpenSSH reads them: a file for each sandbox, written from what the gateway says each
 * time somebody connects. So a sandbox that was made anew under an old name is no stranger, and nobody else can be it.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { configDirectory } from "../../locations/config-directory.ts";
import { isGatewayName, writeAtomically } from "../../locations/gateway-entry.ts";
import type { Gateway } from "../api/gateway.ts";
import type { CommandContext } from "../command-context.ts";
import { DEFAULT_WORKSPACE } from "../flags/global-flags.ts";
import { hostAlias } from "./host-settings.ts";

/** Names are unique in their workspace. */
export interface NamedSandbox {
  readonly sandboxName: string;
  readonly workspace: string;
}

type Where = Pick<CommandContext, "environment">;

/** Where the sandbox's key is kept. */
export function knownHostsFile(
  { sandboxName, workspace }: NamedSandbox,
  { name }: Gateway,
  { environment }: Where,
): string {
  const ofGateway = name !== undefined && isGatewayName(name) ? join("gateways", name) : "";
  const fileName = workspace === DEFAULT_WORKSPACE ? sandboxName : `${sandboxName}.${workspace}`;
  return join(configDirectory(environment), ofGateway, "known_hosts", encodeURIComponent(fileName));
}

/** Writes the key down, for its owner alone, if it is not there already. */
export function rememberHostKey({ sandboxName, workspace }: NamedSandbox, hostKey: string, file: string): void {
  const line = `${hostAlias(sandboxName, workspace)} ${hostKey}\n`;
  if (readIfPresent(file) !== line) writeAtomically(file, line);
}

export function forgetHostKey(file: string): void {
  rmSync(file, { force: true });
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
