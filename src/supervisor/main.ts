/**
 * One supervisor, one sandbox. Waits for its orders, builds the sandbox, is its only door, and goes when the sandbox goes.
 * Runs as an ordinary user, outside of the sandbox's namespaces.
 */
import { closeOthersOnExec } from "../linux/descriptors.ts";
import type { LaunchSpec, Preparation } from "./launch-spec.ts";
import { readOrders } from "./read-orders.ts";
import { prepareSandbox } from "./sandbox/prepared-sandbox.ts";
import { superviseSandbox } from "./supervise-sandbox.ts";

process.title = "openshell-supervisor";
closeOthersOnExec();
const orders = readOrders(process.stdin);
const { value: preparation } = await orders.next();
if (preparation) {
  const prepared = prepareSandbox(preparation as Preparation);
  const { value: spec } = await orders.next();
  if (spec) process.exitCode = await superviseSandbox(spec as LaunchSpec, prepared);
}
// What was built in vain ends with this process, its parent.
process.exit();
