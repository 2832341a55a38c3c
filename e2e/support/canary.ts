/**
 * Secrets that nobody may see are looked for wherever something could have been left: in the memory of all processes in
 * sandboxes (proc_pid_mem(5)), in every process's environment and arguments, and in all that the installation keeps, which
 * is files, logs, events, database, and what a process leaves that crashes.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Installation } from "./installation.ts";
import { allProcesses, memoryOf, sandboxedProcesses } from "./process-memory.ts";

/** To be called while a program that has used them is alive in a sandbox. */
export function expectNowhere(secrets: readonly string[], { home }: Installation): void {
  const found = [...inMemory(secrets), ...inEnvironments(secrets), ...inFiles(secrets, home)];
  assert.deepEqual(found, []);
}

function* inMemory(secrets: readonly string[]): Generator<string> {
  const inside = sandboxedProcesses();
  assert.ok(inside.length > 2, "no program is alive in a sandbox");
  for (const pid of inside) {
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

function* inFiles(secrets: readonly string[], directory: string): Generator<string> {
  for (const file of globSync("**/{*,.*}", { cwd: directory, withFileTypes: true })) {
    const path = join(file.parentPath, file.name);
    if (file.isFile() && holds(contentOf(path), secrets)) yield path;
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
