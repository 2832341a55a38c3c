/** Signals to a sandbox's processes: ends every one of them, also when its supervisor was killed and could not. */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { processStartTime } from "../../../linux/process-stat.ts";
import { WAKE_SIGNAL } from "../../../supervisor/launch-spec.ts";
import type { SandboxProcesses } from "../../../supervisor/sandbox-processes.ts";
import type { SupervisorProcess } from "../driver.ts";

/** SIGKILL acts within a millisecond or two; a process in an uninterruptible call may take longer. */
const MAX_ATTEMPTS = 500;
const KILL_TAKES_MS = 2;
/** Ending a sandbox takes some 10 ms. */
const DISMISSAL_MS = 300;

/** Whether this very process still runs. */
export function isRunning({ pid, startTime }: SupervisorProcess): boolean {
  return pid > 0 && startTime !== "" && processStartTime(pid) === startTime;
}

/** Tells a supervisor that its gateway is back. */
export function wake(supervisor: SupervisorProcess): void {
  if (!isRunning(supervisor)) return;
  try {
    process.kill(supervisor.pid, WAKE_SIGNAL);
  } catch {
    // An engine's, whose user is another.
  }
}

/** Kills a process and its group, if it is still the one that is meant. */
export function killGroup(process_: SupervisorProcess): void {
  if (!isRunning(process_)) return;
  for (const target of [-process_.pid, process_.pid]) {
    try {
      process.kill(target, "SIGKILL");
    } catch {
      // Already gone, or it leads no group.
    }
  }
}

/**
 * Asks a supervisor to end its sandbox and itself at once. It knows its processes and collects them, where a kill of all
 * would leave corpses to whoever adopts them; one that does not answer in time is killed.
 */
export async function dismiss(supervisor: SupervisorProcess): Promise<void> {
  if (!isRunning(supervisor)) return;
  process.kill(supervisor.pid, "SIGTERM");
  const deadline = performance.now() + DISMISSAL_MS;
  while (isRunning(supervisor) && performance.now() < deadline) await delay(KILL_TAKES_MS);
  killGroup(supervisor);
}

/** Kills until none of the processes run that `find` gives. Throws when some cannot be killed. */
export async function killUntilGone(find: () => readonly SupervisorProcess[]): Promise<void> {
  let left = find();
  for (let attempt = 0; left.length > 0 && attempt < MAX_ATTEMPTS; attempt += 1) {
    left.forEach(killGroup);
    await delay(KILL_TAKES_MS);
    left = find();
  }
  if (left.length > 0) throw new Error(`these processes cannot be killed: ${left.map(({ pid }) => pid).join(", ")}`);
}

/**
 * Kills all processes of a uid. kill(2) with -1, called as that uid, reaches them all in one step, so that not even a
 * program that keeps forking gets away. Its result says nothing: Linux gives 0 also when there was nobody to kill.
 */
export async function killUid(uid: number): Promise<void> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    if (processesOf(uid).length === 0) return;
    await killAllOf(uid);
    await delay(KILL_TAKES_MS);
  }
  throw new Error(`processes of uid ${uid} cannot be killed`);
}

function killAllOf(uid: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", "kill -s KILL -- -1"], { uid, gid: uid, stdio: "ignore", cwd: "/" });
    child.once("error", reject);
    child.once("exit", () => resolve());
  });
}

/** The processes of a uid that run; corpses that nobody has collected yet do not count. */
function processesOf(uid: number): number[] {
  return allProcesses().filter((pid) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "latin1");
      return new RegExp(`^Uid:\\t${uid}\\t`, "m").test(status) && !/^State:\tZ/m.test(status);
    } catch {
      return false;
    }
  });
}

/**
 * The running ones of the processes that a sandbox's supervisor wrote down, and whatever else is in its network and its
 * mounts. The network alone does not say whose a process is: once it is gone the kernel gives its number to the next one,
 * which is another sandbox's.
 */
export function remainingProcesses(sandboxId: string, written: SandboxProcesses): SupervisorProcess[] {
  const others = allProcesses()
    .filter((pid) => networkNamespaceOf(pid) === written.networkNamespace && hasMountsOf(sandboxId, pid))
    .map((pid) => ({ pid, startTime: processStartTime(pid) ?? "" }));
  return [...written.processes, ...others].filter(isRunning);
}

/** A sandbox's home is mounted from its own directory, and nothing inside can mount; proc_pid_mountinfo(5). */
function hasMountsOf(sandboxId: string, pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/mountinfo`, "latin1").includes(`/${sandboxId}/`);
  } catch {
    return false;
  }
}

function networkNamespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}

function allProcesses(): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0);
}
