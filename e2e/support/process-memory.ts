/** What processes hold, read from outside: proc_pid_maps(5), proc_pid_mem(5), proc_pid_pagemap(5). */
import { closeSync, globSync, openSync, readFileSync, readlinkSync, readSync } from "node:fs";

/** Readable mappings that are larger are reserved, not used (V8's cage); their used parts are mappings of their own. */
const largestMapping = 512 * 1024 * 1024;

/** Address range, whether it is writable, and the inode; proc_pid_maps(5). */
const mapping = /^([0-9a-f]+)-([0-9a-f]+) r([w-])\S+ \S+ \S+ (\d+)/;

const pageBytes = 4096;
const entryBytes = 8;

/** Processes in a network namespace that is not this one: those in sandboxes. */
export function sandboxedProcesses(): string[] {
  const own = networkNamespace("self");
  return allProcesses().filter((pid) => {
    const namespace = networkNamespace(pid);
    return namespace !== undefined && namespace !== own;
  });
}

export function allProcesses(): string[] {
  return globSync("/proc/[0-9]*").map((path) => path.slice("/proc/".length));
}

/** The readable memory of a process, piece by piece; nothing of one that has gone meanwhile. */
export function* memoryOf(pid: string): Generator<Buffer> {
  const memory = openIfThere(`/proc/${pid}/mem`);
  const pages = openIfThere(`/proc/${pid}/pagemap`);
  if (memory === undefined || pages === undefined) return;
  try {
    for (const range of mappingsOf(pid)) {
      for (const { start, length } of presentIn(range, pages)) {
        const bytes = Buffer.alloc(length);
        try {
          yield bytes.subarray(0, readSync(memory, bytes, 0, length, start));
        } catch {
          // Mappings of devices can't be read.
        }
      }
    }
  } finally {
    closeSync(memory);
    closeSync(pages);
  }
}

interface Range {
  readonly start: number;
  readonly length: number;
}

function* mappingsOf(pid: string): Generator<Range> {
  for (const line of mapsOf(pid)) {
    const [, from = "0", to = "0", writable, inode] = mapping.exec(line) ?? [];
    // A program's own text and constants: what is in the file, and most of what there is.
    if (writable === "-" && inode !== "0") continue;
    const start = Number.parseInt(from, 16);
    const length = Number.parseInt(to, 16) - start;
    if (length > 0 && length <= largestMapping && !/\[(vvar|vsyscall)/.test(line)) yield { start, length };
  }
}

/** The parts that have ever been written to: of what V8 reserves that is a tenth. A page of which nothing is there holds nothing. */
function* presentIn({ start, length }: Range, pages: number): Generator<Range> {
  const entries = Buffer.alloc((length / pageBytes) * entryBytes);
  const read = readSync(pages, entries, 0, entries.length, (start / pageBytes) * entryBytes);
  let from: number | undefined;
  for (let at = 0; at <= read; at += entryBytes) {
    // Bits 63 and 62 of an entry: in memory, or swapped out.
    const isThere = at < read && ((entries[at + entryBytes - 1] ?? 0) & 0xc0) !== 0;
    const address = start + (at / entryBytes) * pageBytes;
    if (isThere) from ??= address;
    else if (from !== undefined) {
      yield { start: from, length: address - from };
      from = undefined;
    }
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** None of a process that has ended: there is nothing of its memory left to be found. */
function mapsOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/maps`, "latin1").trimEnd().split("\n");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
}

function networkNamespace(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}
