/**
 * Ends this machine's gateway in good order. Its sandboxes go on: their supervisors are processes of their own.
 */
import { setTimeout as delay } from "node:timers/promises";
import { processStartTime } from "../../linux/process-stat.ts";
import { type RunningGateway, readRunningGateway } from "../../locations/running-gateway.ts";
import { stateDirectory } from "../../locations/state-directory.ts";
import type { Environment } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";

/** Draining ends what is under way; a gateway that takes longer hangs. */
const STOP_TIMEOUT_MS = 30_000;
const LOOK_EVERY_MS = 5;

/** @returns the gateway that was stopped, or undefined if none ran. Throws CommandFailure if it does not end. */
export async function stopLocalGateway(environment: Environment): Promise<RunningGateway | undefined> {
  const running = readRunningGateway(stateDirectory(environment));
  if (!running) return undefined;
  const { pid, startTime } = running;
  process.kill(pid, "SIGTERM");
  const deadline = performance.now() + STOP_TIMEOUT_MS;
  while (processStartTime(pid) === startTime) {
    if (performance.now() > deadline) {
      throw new CommandFailure(`the gateway (process ${pid}) does not end`, {
        hint: `\`kill -9 ${pid}\` harms no sandbox`,
      });
    }
    await delay(LOOK_EVERY_MS);
  }
  return running;
}
