/** Waiting, with an end: node:test gives up a test that hangs, but can't say what it has waited for, nor stop it. */
import { setTimeout as sleep } from "node:timers/promises";

/** Far more than any of it takes on a machine that has much else to do. */
const patienceMs = 90_000;

/** What `attempt` gives once it succeeds. It is made again until then; after a minute and a half its failure is the test's. */
export async function eventually<T>(attempt: () => T | Promise<T>): Promise<T> {
  for (const deadline = Date.now() + patienceMs; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(20);
    }
  }
}
