import { SandboxPhase } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { GatewayContext } from "../context.ts";
import { placementOf, type SandboxRecord } from "../store/store.ts";
import { supervisorEnded, supervisorLost } from "../supervisors/supervisor-lost.ts";
import { deleteSandbox } from "./delete.ts";
import { finishStop } from "./stop.ts";

/**
 * Compares what the store says with what runs, when a gateway starts. Supervisors that live are told to come back;
 * those that have ended meanwhile, as all have after a restart of the machine, are recorded as such and brought back, and
 * so are those that a backup from elsewhere has brought; deletions that were interrupted are finished.
 */
export async function reconcile(context: GatewayContext): Promise<void> {
  const stored = await context.store.sandboxes.all();
  const records = await Promise.all(stored.map((record) => asItIsHere(context, record)));
  await context.driver.sweep(records.map(placementOf));
  await Promise.all(records.map((record) => reconcileOne(context, record)));
}

/** Uids and processes of another machine, or of another gateway's, are strangers here, and are not to be killed. */
async function asItIsHere({ driver, registry }: GatewayContext, record: SandboxRecord): Promise<SandboxRecord> {
  if (driver.isHere(placementOf(record))) return record;
  const changed = await registry.change(record.id, ({ hostUid: _uid, supervisor, ...rest }) => {
    // Of one that should run the end is told, and it is brought back.
    return rest.desired === "deleted" || supervisor === undefined ? rest : { ...rest, supervisor };
  });
  return changed ?? record;
}

async function reconcileOne(context: GatewayContext, record: SandboxRecord): Promise<void> {
  const { supervisor, status, desired } = record;
  if (desired === "deleted") return deleteSandbox(context, record);
  if (supervisor === undefined) {
    // A gateway that went while the sandbox waited to be brought back.
    const isOwed = desired === "running" && status.phase !== SandboxPhase.ERROR;
    if (isOwed) context.revivals.schedule(record.id, 0);
    return;
  }
  const instance = { sandboxId: record.id, instanceId: supervisor.instanceId };
  if (!context.driver.isHere(placementOf(record))) {
    await supervisorEnded(context, instance, "the sandbox ran elsewhere, and its files are there");
  } else if (!context.driver.isRunning(supervisor)) {
    await supervisorEnded(context, instance, "the supervisor ended while the gateway was away");
  } else {
    context.driver.wake(supervisor);
    // Not awaited: the gateway is ready before the last supervisor has come back.
    const awaited = record.desired === "stopped" ? finishStop(context, record) : supervisorLost(context, instance);
    awaited.catch((error: unknown) => context.log.error(`sandbox ${record.name}`, error));
  }
}
