import { setTimeout as delay } from "node:timers/promises";
import type { GatewayContext } from "../context.ts";
import type { SandboxRecord } from "../store/store.ts";

/** Beyond the grace: what a supervisor needs to write its last events. */
const LAST_WORDS_MS = 1_000;
const CHECK_MS = 5;

/** Asks a connected supervisor to end its sandbox and itself, and waits until it has or its time is over. */
export async function endSupervisor(
  { sessions, driver }: GatewayContext,
  { id, supervisor }: SandboxRecord,
  { graceSeconds }: { readonly graceSeconds: number },
): Promise<void> {
  const session = sessions.get(id);
  if (session === undefined || supervisor === undefined) return;
  session.send({ case: "stop", value: { graceSeconds } });
  const deadline = performance.now() + graceSeconds * 1000 + LAST_WORDS_MS;
  // Its end is no event for a gateway that did not start it, so this looks instead of waiting to be told.
  while (driver.isRunning(supervisor) && performance.now() < deadline) await delay(CHECK_MS);
}
