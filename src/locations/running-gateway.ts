/**
 * `gateway.json` in the state directory: which process is the gateway of this state, and where it listens. Written once
 * the gateway answers, removed when it stops. It may be stale after a crash, so a reader asks whether the process is
 * still the same one.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeAtomically } from "./gateway-entry.ts";

export interface RunningGateway {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: a process number that has been given away again does not have the same. */
  readonly startTime: string;
  readonly endpoint: string;
  readonly version: string;
}

export function writeRunningGateway(stateDirectory: string, gateway: RunningGateway): void {
  writeAtomically(runningGatewayPath(stateDirectory), `${JSON.stringify(gateway)}\n`);
}

export function forgetRunningGateway(stateDirectory: string): void {
  rmSync(runningGatewayPath(stateDirectory), { force: true });
}

/** The gateway that runs on this state now, or undefined. */
export function readRunningGateway(stateDirectory: string): RunningGateway | undefined {
  try {
    const gateway = JSON.parse(readFileSync(runningGatewayPath(stateDirectory), "utf8")) as RunningGateway;
    return processStartTime(gateway.pid) === gateway.startTime ? gateway : undefined;
  } catch {
    return undefined;
  }
}

/** When a process was started, in clock ticks since boot; undefined if there is no such process, or only its corpse. */
export function processStartTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in parentheses may itself contain spaces and parentheses (proc_pid_stat(5)); what follows the last is fixed.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function runningGatewayPath(stateDirectory: string): string {
  return join(stateDirectory, "gateway.json");
}
