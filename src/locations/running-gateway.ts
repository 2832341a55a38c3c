/**
 * `gateway.json` in the state directory: which process is the gateway of this state, and where it listens. Written once
 * the gateway answers, removed when it stops. It may be stale after a crash, so a reader asks whether the process is
 * still the same one.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { processStartTime } from "../linux/process-stat.ts";
import { writeAtomically } from "./gateway-entry.ts";

export interface RunningGateway {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: a process number that has been given away again does not have the same. */
  readonly startTime: string;
  readonly endpoint: string;
  /** The Unix socket for its own user's programs. */
  readonly socket?: string;
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

/** Whether the last gateway of this state was stopped in order: one that was killed leaves its record behind. */
export function wasGatewayStopped(stateDirectory: string): boolean {
  return !existsSync(runningGatewayPath(stateDirectory));
}

function runningGatewayPath(stateDirectory: string): string {
  return join(stateDirectory, "gateway.json");
}
