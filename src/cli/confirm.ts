/** Asks before what cannot be undone. */
import { createInterface } from "node:readline/promises";
import type { CommandContext } from "./command-context.ts";
import { usageFailure } from "./command-failure.ts";

/** Whether the user says yes to doing it; nobody to ask is an error, never a yes. */
export async function confirm(what: string, { stdin, stderr }: CommandContext): Promise<boolean> {
  if (stdin.isTTY !== true) throw usageFailure(`there is no terminal to ask at whether to ${what}`, "say --yes");
  // On standard error: a script may be reading the output.
  using lines = createInterface({ input: stdin, output: stderr });
  const answer = await lines.question(`${what}? [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}
