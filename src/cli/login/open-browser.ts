import { spawn } from "node:child_process";
import type { CommandContext } from "../command-context.ts";
import { findProgram } from "../doctor/tools.ts";

/** Time to find a password and a second factor. */
export const LOGIN_TIMEOUT_MS = 5 * 60_000;

/** As desktops do it; where nothing opens, the address stands on the terminal. */
export function openBrowser(address: URL, { environment }: CommandContext): void {
  const program = environment["BROWSER"] || findProgram("xdg-open", environment);
  if (program === undefined) return;
  const child = spawn(program, [address.href], { stdio: "ignore", detached: true, env: { ...environment } });
  child.once("error", () => {});
  child.unref();
}
