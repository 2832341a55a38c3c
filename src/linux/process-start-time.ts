/** Telling a process from a later one with the same number; proc_pid_stat(5). */
import { readFileSync } from "node:fs";

/** When a process was started, in clock ticks since boot; undefined if there is no such process, or only its corpse. */
export function processStartTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in parentheses may itself contain spaces and parentheses; what follows the last is fixed.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
