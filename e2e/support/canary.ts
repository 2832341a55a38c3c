/**
 * Secrets that nobody may see are looked for wherever something could have been left: in the memory of all processes in
 * sandboxes (proc_pid_mem(5)), in every process's environment and arguments, and in all that the installation keeps, which
 * is files, logs, events, database, and what a process leaves that crashes.
 */
import assert from "node:assert/strict";
import { type Dirent, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
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

/** Walks by itself: a glob's `**` passes over folders whose names begin with a dot, and all of the gateway's state is in one. */
function* inFiles(secrets: readonly string[], directory: string): Generator<string> {
  for (const entry of entriesOf(directory)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* inFiles(secrets, path);
    else if (entry.isFile() && holds(contentOf(path), secrets)) yield path;
  }
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
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
