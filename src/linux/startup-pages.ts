/**
 * Letting go of what only start-up needs. Half of a small Node process's resident memory is read-only data of Node's own
 * executable (its snapshot, its modules' sources, ICU), looked at once; madvise(2).
 */
import { readFileSync } from "node:fs";
import { libc } from "./libc.ts";

const madvise = libc.func("int madvise(uint64_t address, size_t length, int advice)");
const MADV_DONTNEED = 4;

/** A read-only mapping of a program called node: address range, rights, offset, device, inode, path; proc_pid_smaps(5). */
const readOnlyMapping = /^([0-9a-f]+)-([0-9a-f]+) r--p \S+ \S+ \d+ +\S*\/node$/;

/**
 * Drops this process's view of its executable's read-only data. Nothing is lost: what was never written to comes from the
 * file again when it is next looked at. Where that fails, the memory just stays.
 */
export function releaseStartupPages(): void {
  let range: RegExpExecArray | null = null;
  for (const line of readFileSync("/proc/self/smaps", "latin1").split("\n")) {
    if (/^[0-9a-f]+-/.test(line)) range = readOnlyMapping.exec(line);
    // A mapping that was written to while the program was loaded (relocations) has pages that are in no file.
    if (range === null || !/^Anonymous: +0 kB/.test(line)) continue;
    const start = BigInt(`0x${range[1]}`);
    madvise(start, Number(BigInt(`0x${range[2]}`) - start), MADV_DONTNEED);
  }
}
