/**
 * Secrets that nobody may see are looked for wherever something could have been left: in the memory of all processes in
 * sandboxes (proc_pid_mem(5)), in every process's environment and arguments, and in all that the installation keeps, which
 * is files, logs, events, database, and what a process leaves that crashes.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Installation } from "./installation.ts";
import { allProcesses, memoryOf, sandboxedProcesses } from "./process-memory.ts";
import { supervisors } from "./supervisors.ts";

/** To be called while a program that has used them is alive in a sandbox. */
export function expectNowhere(secrets: readonly string[], { home }: Pick<Installation, "home">): void {
  assert.ok(sandboxedProcesses().length > 2, "no program is alive in a sandbox");
  assert.deepEqual(whereFound(secrets, home), []);
}

/** Where secrets stand that should stand nowhere: in memory, environments and arguments, and files below the home. */
export function whereFound(secrets: readonly string[], home: string): string[] {
  if (secrets.length === 0) return [];
  return [...inMemory(secrets), ...inEnvironments(secrets), ...inFiles(secrets, home)];
}

function* inMemory(secrets: readonly string[]): Generator<string> {
  // An engine has them in a network of their own, and they must have the secrets.
  const trusted = new Set(supervisors().map(String));
  for (const pid of sandboxedProcesses()) {
    if (trusted.has(pid)) continue;
    for (const piece of memoryOf(pid)) if (holds(piece, secrets)) yield `memory of ${pid}`;
  }
}

function* inEnvironments(secrets: readonly string[]): Generator<string> {
  for (const pid of allProcesses()) {
    for (const name of ["environ", "cmdline"]) {
      if (holds(contentOf(`/proc/${pid}/${name}`), secrets)) yield `${name} of ${pid}`;
    }
  }
}

/** By grep(1): a home may hold a hundred thousand files of what was installed there, of which Node opens each by itself. */
function inFiles(secrets: readonly string[], directory: string): string[] {
  const args = ["--recursive", "--files-with-matches", "--fixed-strings", "--no-messages", "--file=-", directory];
  // Not as arguments, where the search itself would find them.
  const input = secrets.map(longestLine).join("\n");
  const { status, stdout, error } = spawnSync("grep", args, { input, maxBuffer: Number.POSITIVE_INFINITY });
  // 1: nothing was found; 2: a file could not be read, as those that have gone meanwhile.
  if (error !== undefined || status === null) throw new Error("grep did not search", { cause: error });
  return stdout.toString().split("\n").filter(Boolean);
}

/** A pattern is one line; of a key in PEM that is one in its middle, since all first lines are alike. */
function longestLine(secret: string): string {
  return secret.split("\n").reduce((longest, line) => (line.length > longest.length ? line : longest), "");
}

/** Nothing where it has gone meanwhile. */
function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}

function holds(bytes: Buffer, secrets: readonly string[]): boolean {
  return secrets.some((secret) => bytes.includes(secret));
}
