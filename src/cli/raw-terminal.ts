/**
 * The user's terminal, handed through: keys go on as they are pressed, output comes as it is.
 */
import { execFileSync } from "node:child_process";
import type { Streams } from "./command-context.ts";

/**
 * Switches the terminal of standard input to raw mode until disposed of; does nothing where there is none.
 *
 * By stty(1), because Node's own raw mode goes on turning line feeds into carriage return and line feed on output. The
 * sandbox's terminal has done that already, and for a full-screen program, which has switched it off, a lone line feed
 * means "straight down".
 */
export function rawTerminal(stdin: Streams["stdin"]): Disposable {
  if (stdin.isTTY !== true) return { [Symbol.dispose]: () => {} };
  try {
    const before = stty("-g").trim();
    stty("raw", "-echo");
    return { [Symbol.dispose]: () => void stty(before) };
  } catch {
    // A machine without coreutils: nearly right is better than no terminal.
    stdin.setRawMode?.(true);
    return { [Symbol.dispose]: () => void stdin.setRawMode?.(false) };
  }
}

function stty(...settings: readonly string[]): string {
  return execFileSync("stty", settings, { encoding: "utf8", stdio: ["inherit", "pipe", "ignore"] });
}
