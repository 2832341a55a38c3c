/** Whether anything still runs in a sandbox besides what makes it one. */
import { readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** bubblewrap's reaper and init. */
const OWN_PROCESSES = 2;
/** A stop should not take noticeably longer than its slowest program. */
const LOOK_EVERY_MS = 10;

/** Resolves once no program is left, or when `signal` is aborted. `initPid` is the host's number for init. */
export async function whenProgramsEnded(initPid: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && hasPrograms(initPid)) await delay(LOOK_EVERY_MS);
}

/** Whether any program runs in the sandbox now. */
export function hasPrograms(initPid: number): boolean {
  return countProcesses(initPid) > OWN_PROCESSES;
}

/** Processes in the sandbox's own procfs, which has those of its PID namespace and no others. */
function countProcesses(initPid: number): number {
  try {
    return readdirSync(`/proc/${initPid}/root/proc`).filter((name) => /^\d+$/.test(name)).length;
  } catch {
    return 0;
  }
}
