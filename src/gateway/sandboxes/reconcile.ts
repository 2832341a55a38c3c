import { SandboxPhase } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { GatewayContext } from "../context.ts";
import { placementOf, type SandboxRecord } from "../store/store.ts";
import { supervisorEnded, supervisorLost } from "../supervisors/supervisor-lost.ts";
import { deleteSandbox } from "./delete.ts";

/**
 * Compares what the store says with what runs, when a gateway starts. Supervisors that live are told to come back;
 * those that have ended meanwhile, as all have after a restart of the machine, are recorded as such and brought back;
 * deletions that were interrupted are finished.
 */
export async function reconcile(context: GatewayContext): Promise<void> {
  const records = await context.store.sandboxes.all();
  await context.driver.sweep(records.map(placementOf));
  await Promise.all(records.map((record) => reconcileOne(context, record)));
}

async function reconcileOne(context: GatewayContext, record: SandboxRecord): Promise<void> {
  if (record.desired === "deleted") return deleteSandbox(context, record);
  const { supervisor, status } = record;
  if (supervisor === undefined) {
    // A gateway that went while the sandbox waited to be brought back.
    const isOwed = record.desired === "running" && status.phase !== SandboxPhase.ERROR;
    if (isOwed) context.revivals.schedule(record.id, 0);
    return;
  }
  const instance = { sandboxId: record.id, instanceId: supervisor.instanceId };
  if (!context.driver.isRunning(supervisor)) {
    await supervisorEnded(context, instance, "the supervisor ended while the gateway was away");
  } else {
    context.driver.wake(supervisor);
    // Not awaited: the gateway is ready before the last supervisor has come back.
    supervisorLost(context, instance).catch((error: unknown) => context.log.error("a supervisor", error));
  }
}
