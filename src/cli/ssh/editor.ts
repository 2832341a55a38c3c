/** Opens a sandbox in an editor. */
import { spawnSync } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";
import type { CommandContext } from "../command-context.ts";
import { findProgram } from "../doctor/tools.ts";
import { DEFAULT_WORKSPACE } from "../flags/global-flags.ts";
import { type EditorName, editors } from "./editors.ts";
import { hostAlias } from "./host-settings.ts";
import type { NamedSandbox } from "./known-hosts.ts";

/** Opens the sandbox's home in the editor, or says how to: prints the URL that does it. @returns the exit code. */
export function openInEditor(
  name: EditorName,
  { sandboxName, workspace }: NamedSandbox,
  context: CommandContext,
): number {
  const { command, scheme } = editors[name];
  const alias = hostAlias(sandboxName, workspace);
  const chosen = workspace === DEFAULT_WORKSPACE ? "" : ` -w ${workspace}`;
  const program = findProgram(command, context.environment);
  if (!isKnownToSsh(alias, context)) {
    context.note(`note: the editor reads ~/.ssh/config, which does not know ${alias} yet. Once:`);
    context.note(`  openshell sandbox ssh-config ${sandboxName}${chosen} >> ${join(homedir(), ".ssh", "config")}`);
    if (program !== undefined) return 1;
  }
  if (program === undefined) {
    context.print(`${scheme}://vscode-remote/ssh-remote+${alias}/sandbox\n`);
    return 0;
  }
  const folder = `vscode-remote://ssh-remote+${alias}/sandbox`;
  return spawnSync(program, ["--folder-uri", folder], { stdio: "inherit" }).status ?? 1;
}

/** Whether the user's configuration has the sandbox's block, as `ssh` itself reads it. */
function isKnownToSsh(alias: string, { environment }: CommandContext): boolean {
  const ssh = findProgram("ssh", environment);
  if (ssh === undefined) return false;
  const { stdout } = spawnSync(ssh, ["-G", alias], { encoding: "utf8" });
  return /^proxycommand .*ssh-proxy/m.test(stdout);
}
