/** The fields of `/proc/PID/stat` that identify needs; proc_pid_stat(5). */

export interface ProcessStat {
  readonly parent: number;
  /** Clock ticks since the machine's start. With the pid it names a process for good: pids are used again. */
  readonly startTime: number;
}

/** The line's fields, or undefined if it is not one. */
export function parseProcessStat(line: string): ProcessStat | undefined {
  // The second field is the program's own choice of name and may hold spaces, brackets and line feeds, so that fields
  // are counted from the last bracket: a process named `x) S 1` must not choose its own parent.
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const parent = Number(fields[1]);
  const startTime = Number(fields[19]);
  return Number.isSafeInteger(parent) && Number.isSafeInteger(startTime) ? { parent, startTime } : undefined;
}
