/** Starts the client program, in a sandbox or beside it, and asks it questions. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Command } from "../support/command.ts";
import type { Question } from "./client.ts";

export interface Client extends Disposable {
  /** @returns milliseconds */
  ask(question: Question): Promise<number>;
}

/** What makes Node run the client. */
export const clientArguments: readonly string[] = [
  "--input-type=module-typescript",
  "--disable-warning=ExperimentalWarning",
  "-e",
  readFileSync(join(import.meta.dirname, "client.ts"), "utf8"),
];

/** The client's process must be ready to read lines; its errors go to our standard error. */
export function openClient({ file, args, env }: Command): Client {
  const child: ChildProcess = spawn(file, args, {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error("the client has no pipes");
  const answers = createInterface({ input: stdout })[Symbol.asyncIterator]();
  return {
    async ask(question) {
      stdin.write(`${JSON.stringify(question)}\n`);
      const { done, value } = await answers.next();
      if (done) throw new Error(`the client ended when asked for ${JSON.stringify(question)}`);
      return Number(value);
    },
    [Symbol.dispose]: () => stdin.end(),
  };
}
