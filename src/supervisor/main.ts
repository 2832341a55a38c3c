/**
 * One supervisor, one sandbox. Waits for its orders, builds the sandbox, is its only door, and goes when the sandbox goes.
 * Runs as an ordinary user, outside of the sandbox's namespaces.
 */
import { closeOthersOnExec } from "../linux/descriptors.ts";
import type { LaunchSpec, Preparation } from "./launch-spec.ts";
import { readOrders } from "./read-orders.ts";
import { discardSandbox, prepareSandbox } from "./sandbox/prepared-sandbox.ts";
import { superviseSandbox } from "./supervise-sandbox.ts";

process.title = "openshell-supervisor";
closeOthersOnExec();
// From a gateway that wants the sandbox gone, and to hear no more of it.
const dismissal = new Promise<void>((resolve) => process.once("SIGTERM", () => resolve()));
const orders = readOrders(process.stdin);
const { value: preparation } = await orders.next();
if (preparation) {
  const prepared = prepareSandbox(preparation as Preparation);
  const next = await Promise.race([orders.next(), dismissal]);
  if (next?.value) process.exitCode = await superviseSandbox(next.value as LaunchSpec, prepared, dismissal);
  else await discardSandbox(prepared);
}
process.exit();
