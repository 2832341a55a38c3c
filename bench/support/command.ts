/** Commands, as a user's shell would start them. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { promisify } from "node:util";

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs it with nothing on its standard streams, so that only the command is timed and no reader of its output. */
export async function runSilently({ file, args, env }: Command): Promise<void> {
  const child = spawn(file, args, { stdio: "ignore", ...(env && { env }) });
  const code = await exitOf(child);
  if (code !== 0) throw new Error(`${[file, ...args].join(" ")} ended with ${code}`);
}

/** Runs it and gives what it prints. Throws with its standard error if it fails. */
export async function outputOf({ file, args, env }: Command): Promise<string> {
  const { stdout } = await promisify(execFile)(file, args, { ...(env && { env }), maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

/** The exit code, or the name of the signal that ended it. */
export function exitOf(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? signal ?? "nothing"));
  });
}
