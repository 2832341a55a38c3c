/** Programs of this machine, asked as their user would ask them. */
import { execFile } from "node:child_process";
import { accessSync, constants, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import type { Environment } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";

/** A tool that takes longer waits for something that it should not. */
const TIMEOUT_MS = 20_000;

/** The program that a name in the PATH comes down to: version managers put scripts there, which are not what connects. */
export async function ranBy(program: string, args: readonly string[], environment: Environment): Promise<string[]> {
  const path = (await said(program, args, environment)).trim();
  return [realpathSync(path.startsWith("/") ? path : found(program, environment))];
}

/** Where a program of the PATH is. Throws CommandFailure if there is none of that name. */
export function found(program: string, environment: Environment): string {
  const folders = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder.startsWith("/"));
  const path = folders.map((folder) => join(folder, program)).find(isExecutable);
  if (path !== undefined) return path;
  throw new CommandFailure(`${program} is not installed on this machine`, { code: "failed_precondition" });
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What a program prints, started as the user would. */
export async function said(program: string, args: readonly string[], environment: Environment): Promise<string> {
  const path = found(program, environment);
  try {
    const options = { env: { ...environment }, timeout: TIMEOUT_MS, maxBuffer: 1024 * 1024 };
    return (await promisify(execFile)(path, args, options)).stdout;
  } catch (error) {
    const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new CommandFailure(`${program} does not tell where packages come from: ${why}`);
  }
}
