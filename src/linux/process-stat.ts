/** What the kernel says of a process in `/proc/PID/stat`; proc_pid_stat(5). */
import { readFileSync } from "node:fs";

export interface ProcessStat {
  readonly parent: number;
  /** Clock ticks since the machine's start. With the pid it names a process for good: pids are used again. */
  readonly startTime: number;
  /** Whether it has ended, and only its parent has not collected it yet. */
  readonly isCorpse: boolean;
}

/** The line's fields, or undefined if it is not one. */
export function parseProcessStat(line: string): ProcessStat | undefined {
  // The second field is the program's own choice of name and may hold spaces, brackets and line feeds, so that fields
  // are counted from the last bracket: a process named `x) S 1` must not choose its own parent.
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const parent = Number(fields[1]);
  const startTime = Number(fields[19]);
  if (!Number.isSafeInteger(parent) || !Number.isSafeInteger(startTime)) return undefined;
  return { parent, startTime, isCorpse: fields[0] === "Z" || fields[0] === "X" };
}

/** The process with this number on this machine; undefined if there is none. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return undefined;
  }
}

/** The start time of a process that runs, as text; undefined if there is none, or only its corpse. */
export function processStartTime(pid: number): string | undefined {
  const stat = readProcessStat(pid);
  return stat === undefined || stat.isCorpse ? undefined : String(stat.startTime);
}

/** A process's number in its own PID namespace: the last of NSpid, proc_pid_status(5). @throws if there is none such */
export function numberInside(pid: number): number {
  const [, numbers = ""] = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
  return Number(numbers.split("\t").at(-1));
}
