/** What a process weighs, from /proc/PID/smaps_rollup; proc_pid_smaps(5). */
import { globSync, readFileSync } from "node:fs";

/** All in MB (10^6 bytes). */
export interface ProcessMemory {
  /** In RAM, what is shared with other processes counted whole. */
  readonly resident: number;
  /** What is shared divided among those who share it: these may be added up. */
  readonly proportional: number;
  /** What would be free if it went. */
  readonly own: number;
}

export function memoryOf(pid: number): ProcessMemory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  const megabytes = (name: string) =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(rollup)?.[1]) * 1024) / 1_000_000;
  return {
    resident: megabytes("Rss"),
    proportional: megabytes("Pss"),
    own: megabytes("Private_Clean") + megabytes("Private_Dirty"),
  };
}

/** Process ids of a process's children; proc_pid_task(5). */
export function childrenOf(pid: number): number[] {
  return globSync(`/proc/${pid}/task/*/children`)
    .flatMap((file) => readFileSync(file, "latin1").trim().split(" "))
    .filter(Boolean)
    .map(Number);
}

export function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]);
}

/** A process, its children, theirs, and so on. */
export function treeOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(treeOf)];
}
