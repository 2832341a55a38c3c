/**
 * Which ports are forwarded by which processes: a file for each, written once it listens and removed when it ends. One that
 * was killed leaves its file behind, so that a reader asks whether the process is still the same one.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { processStartTime } from "../../linux/process-stat.ts";
import { writeAtomically } from "../../locations/gateway-entry.ts";
import { stateDirectory } from "../../locations/state-directory.ts";
import type { Environment } from "../command-context.ts";
import type { PortSpec } from "./port-spec.ts";

export interface ForwardRecord extends PortSpec {
  readonly pid: number;
  readonly startTime: string;
  /** The gateway's name, or its address where it has none. */
  readonly gateway: string;
  readonly sandbox: string;
  readonly startedAt: string;
}

export function forwardsDirectory(environment: Environment): string {
  return join(stateDirectory(environment), "forwards");
}

/** Writes it down as this process's. @returns its file. */
export function writeForward(
  forward: Omit<ForwardRecord, "pid" | "startTime" | "startedAt">,
  environment: Environment,
): string {
  const directory = forwardsDirectory(environment);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const { pid } = process;
  const path = join(directory, `${pid}-${forward.local}.json`);
  const startedAt = new Date().toISOString();
  writeAtomically(path, `${JSON.stringify({ ...forward, pid, startTime: processStartTime(pid), startedAt })}\n`);
  return path;
}

/** Those whose process runs, by sandbox and port; what others have left is removed. */
export function readForwards(environment: Environment): ForwardRecord[] {
  const directory = forwardsDirectory(environment);
  const running: ForwardRecord[] = [];
  for (const name of namesIn(directory)) {
    const path = join(directory, name);
    const record = readRecord(path);
    if (record && processStartTime(record.pid) === record.startTime) running.push(record);
    else rmSync(path, { force: true });
  }
  return running.sort((one, other) => one.sandbox.localeCompare(other.sandbox) || one.local - other.local);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith(".json"));
  } catch {
    return [];
  }
}

function readRecord(path: string): ForwardRecord | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as ForwardRecord;
  } catch {
    return undefined;
  }
}
