/** Whether anything still runs in a sandbox besides what makes it one. */
import { readdirSync, readlinkSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { numberInside } from "../../linux/process-stat.ts";

/** bubblewrap's reaper, or what a pod has in its place; in an engine's container init itself. */
const REAPER = 1;
/** A stop should not take noticeably longer than its slowest program. */
const LOOK_EVERY_MS = 10;

/** Resolves once no program is left, or when `signal` is aborted. `initPid` is the host's number for init. */
export async function whenProgramsEnded(initPid: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && hasPrograms(initPid)) await delay(LOOK_EVERY_MS);
}

/** Whether any program runs in the sandbox now; what has ended altogether runs none. */
export function hasPrograms(initPid: number): boolean {
  try {
    const ours = ownProcesses(initPid);
    return readdirSync(`/proc/${initPid}/root/proc`).some((name) => /^\d+$/.test(name) && !ours.has(Number(name)));
  } catch {
    return false;
  }
}

/** By the sandbox's numbers; this process is among them where it is in a container beside the sandbox's. */
function ownProcesses(initPid: number): ReadonlySet<number> {
  const isShared = readlinkSync("/proc/self/ns/pid") === readlinkSync(`/proc/${initPid}/ns/pid`);
  return new Set([REAPER, numberInside(initPid), ...(isShared ? [process.pid] : [])]);
}
