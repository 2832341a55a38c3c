/** A login shell over OpenSSH, joined to this terminal. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { CommandContext } from "../command-context.ts";
import { findProgram } from "../doctor/tools.ts";
import { commandLineSettings, hostAlias, hostSettings, type SshHost } from "./host-settings.ts";

/** What the terminal's keys send to this program as well; the shell is whom they are for. */
const terminalSignals = ["SIGINT", "SIGQUIT"] as const;

/** The `ssh` of this machine, if it has one. */
export function findSsh({ environment }: Pick<CommandContext, "environment">): string | undefined {
  return findProgram("ssh", environment);
}

/** Runs `ssh` until it ends. @returns its exit code, or 128 and the signal's number. */
export async function sshLoginShell(ssh: string, host: SshHost, context: CommandContext): Promise<number> {
  // The user's own configuration is for hosts of their own: a proxy or a key that it has for all of them is none of ours.
  const all = [...hostSettings(host, context), ...commandLineSettings];
  const settings = all.flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const child = spawn(ssh, ["-F", "none", "-tt", ...settings, hostAlias(host.sandboxName, host.workspace)], {
    stdio: "inherit",
  });
  const ignore = () => {};
  for (const signal of terminalSignals) context.signals.on(signal, ignore);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
    });
  } finally {
    for (const signal of terminalSignals) context.signals.off(signal, ignore);
  }
}
