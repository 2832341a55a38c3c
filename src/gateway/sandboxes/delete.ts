import { SandboxPhase } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { GatewayContext } from "../context.ts";
import { placementOf, type SandboxRecord } from "../store/store.ts";
import { withPhase } from "./status.ts";
import { requireNoFileWork } from "./while-stopped.ts";

/**
 * Deletes a sandbox: its processes, its files, its record, in this order, so that a gateway that dies in between finds
 * the record marked and goes on where it was. Nothing is left when the promise is kept.
 */
export async function deleteSandbox(context: GatewayContext, record: SandboxRecord): Promise<void> {
  requireNoFileWork(context, record);
  const deleting = await context.registry.change(record.id, (current) => ({
    ...current,
    desired: "deleted",
    status: withPhase(current.status, SandboxPhase.DELETING, { nowMs: context.now() }),
  }));
  if (deleting === undefined) return;
  // Behind a start that is under way, which would make again what is removed here.
  await context.runs.run(record.id, () => clear(context, record.id));
}

async function clear(context: GatewayContext, id: string): Promise<void> {
  const deleting = await context.store.sandboxes.get(id);
  // Somebody else has deleted it meanwhile.
  if (deleting === undefined) return;
  // Not asked to stop first: what it would still write is deleted with the rest, and waiting for it would cost most of
  // the time that this takes.
  await context.driver.kill(placementOf(deleting), deleting.supervisor);
  await context.driver.remove(placementOf(deleting));
  await context.settings.forget(deleting.id);
  await context.exposedServices.forget(deleting);
  await context.store.sandboxes.remove(deleting.id);
  context.revivals.forget(deleting.id);
  context.changes.publish(deleting.id, { kind: "removed" });
  context.log.info(`sandbox ${deleting.name} (${deleting.id}) deleted`);
}
