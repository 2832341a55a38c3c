/** Ends processes that forward ports. */
import { setTimeout as delay } from "node:timers/promises";
import { processStartTime } from "../../linux/process-stat.ts";
import type { Environment } from "../command-context.ts";
import { type ForwardRecord, readForwards } from "./forward-records.ts";

/** It has nothing to tidy up that the next reader would not. */
const KILL_AFTER_MS = 3_000;
const LOOK_EVERY_MS = 10;

/** @returns all that has ended: one process may have forwarded several ports. */
export async function stopForwards(
  meant: readonly ForwardRecord[],
  environment: Environment,
): Promise<ForwardRecord[]> {
  const pids = new Set(meant.map(({ pid }) => pid));
  const ending = readForwards(environment).filter(({ pid }) => pids.has(pid));
  for (const { pid } of new Map(ending.map((record) => [record.pid, record])).values()) process.kill(pid, "SIGTERM");
  const deadline = performance.now() + KILL_AFTER_MS;
  while (performance.now() < deadline && ending.some(runs)) await delay(LOOK_EVERY_MS);
  for (const { pid } of ending.filter(runs)) process.kill(pid, "SIGKILL");
  readForwards(environment);
  return ending;
}

function runs({ pid, startTime }: ForwardRecord): boolean {
  return processStartTime(pid) === startTime;
}
