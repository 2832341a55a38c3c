/**
 * One supervisor, one sandbox. Waits for its orders, builds the sandbox, is its only door, and goes when the sandbox goes.
 * Runs as an ordinary user, outside of the sandbox's namespaces.
 */
import { closeOthersOnExec } from "../linux/descriptors.ts";
import { keepMemoryPrivate } from "../linux/private-memory.ts";
import { releaseStartupPages } from "../linux/startup-pages.ts";
import { maskUncaughtErrors } from "../secrets/printed-error.ts";
import { awaitOrders, readSummons } from "./await-orders.ts";
import type { LaunchSpec, Preparation } from "./launch-spec.ts";
import { readOrders } from "./read-orders.ts";
import { discardSandbox, prepareSandbox } from "./sandbox/prepared-sandbox.ts";
import { superviseSandbox } from "./supervise-sandbox.ts";

/** By then a supervisor or a sandbox has been set up, and likely nobody waits for it. */
const SETTLED_MS = 1_000;

process.title = "openshell-supervisor";
keepMemoryPrivate();
maskUncaughtErrors();
closeOthersOnExec();
// From a gateway that wants the sandbox gone, and to hear no more of it.
const dismissal = new Promise<void>((resolve) => process.once("SIGTERM", () => resolve()));
// What fails outside of the sandbox's own life is a defect: an unhandled rejection, which ends the program and says why.
void followOrders(process.argv[2]);

/** With a folder that has a summons in it they come from the gateway that it names; else on the standard input. */
async function followOrders(summons: string | undefined): Promise<never> {
  const orders = summons === undefined ? readOrders(process.stdin) : awaitOrders(readSummons(summons));
  const { value: preparation } = await orders.next();
  if (preparation) {
    const prepared = prepareSandbox(preparation as Preparation);
    setTimeout(releaseStartupPages, SETTLED_MS).unref();
    const next = await Promise.race([orders.next(), dismissal]);
    if (next?.value) process.exitCode = await superviseSandbox(next.value as LaunchSpec, prepared, dismissal);
    else await discardSandbox(prepared);
  }
  process.exit();
}
