/** Starts the client program, in a sandbox or beside it, and asks it questions. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Command } from "../support/command.ts";
import type { Question } from "./client.ts";

export interface Client<Asked> extends Disposable {
  /** @returns milliseconds */
  ask(question: Asked): Promise<number>;
}

/** What makes Node run a program that it is given as text. */
export function clientArguments(program: string): readonly string[] {
  return ["--input-type=module-typescript", "--disable-warning=ExperimentalWarning", "-e", program];
}

/** The program that asks for connections. */
export const connectionClient = clientArguments(readFileSync(join(import.meta.dirname, "client.ts"), "utf8"));

/** The client's process must be ready to read lines; its errors go to our standard error. */
export function openClient<Asked = Question>({ file, args, env }: Command): Client<Asked> {
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
