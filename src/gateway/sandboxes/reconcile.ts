import type { GatewayContext } from "../context.ts";
import { placementOf, type SandboxRecord } from "../store/store.ts";
import { supervisorEnded, supervisorLost } from "../supervisors/supervisor-lost.ts";
import { deleteSandbox } from "./delete.ts";

/**
 * Compares what the store says with what runs, when a gateway starts. Supervisors that live come back by themselves;
 * those that have ended meanwhile are recorded as such; deletions that were interrupted are finished.
 */
export async function reconcile(context: GatewayContext): Promise<void> {
  const records = await context.store.sandboxes.all();
  await context.driver.sweep(records.map(placementOf));
  await Promise.all(records.map((record) => reconcileOne(context, record)));
}

async function reconcileOne(context: GatewayContext, record: SandboxRecord): Promise<void> {
  if (record.desired === "deleted") return deleteSandbox(context, record);
  const { supervisor } = record;
  if (supervisor === undefined) return;
  const instance = { sandboxId: record.id, instanceId: supervisor.instanceId };
  if (!context.driver.isRunning(supervisor)) {
    await supervisorEnded(context, instance, "the supervisor ended while the gateway was away");
  } else {
    // Not awaited: the gateway is ready before the last supervisor has come back.
    supervisorLost(context, instance).catch((error: unknown) => context.log.error("a supervisor", error));
  }
}
