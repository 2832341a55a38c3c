import { SandboxPhase } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { GatewayContext } from "../context.ts";
import { routesForSupervisor } from "../inference/push-routes.ts";
import { attachedProviders } from "../providers/attached-providers.ts";
import { failedPrecondition } from "../refuse.ts";
import { placementOf, type SandboxRecord } from "../store/store.ts";
import { launch, newInstance } from "./launch.ts";
import { withPhase } from "./status.ts";

/**
 * Starts a stopped or failed sandbox again; a running one is left as it is. Does not wait until it is ready.
 * Throws FAILED_PRECONDITION while it is being deleted, or while its former supervisor still runs.
 */
export async function startSandbox(context: GatewayContext, record: SandboxRecord): Promise<SandboxRecord> {
  const { name, supervisor } = record;
  if (record.desired === "deleted") throw failedPrecondition(`sandbox "${name}" is being deleted`);
  if (supervisor !== undefined && context.driver.isRunning(supervisor)) {
    if (record.desired === "running") return record;
    throw failedPrecondition(`sandbox "${name}" is still stopping; try again`);
  }
  const policy = await context.store.policies.effective(record.id);
  if (policy === undefined) throw failedPrecondition(`sandbox "${name}" has no policy that can be loaded`);
  const attached = await attachedProviders(context, record);
  const modelRoutes = await routesForSupervisor(context, record.workspace);
  // What an instance that was killed may have left behind must not run beside the new one.
  await context.driver.kill(placementOf(record), supervisor);
  const prepared = await context.driver.prepare(placementOf(record));
  const instance = newInstance(prepared);
  const started = await context.registry.change(record.id, (current) => ({
    ...current,
    ...instance.record,
    desired: "running",
    status: withPhase(current.status, SandboxPhase.STARTING, {
      conditions: [{ type: "Ready", isTrue: false, reason: "Starting", message: "" }],
      nowMs: context.now(),
    }),
  }));
  if (started === undefined) {
    await context.driver.kill(prepared.placement, prepared.process);
    throw failedPrecondition(`sandbox "${name}" was deleted`);
  }
  launch(context, prepared, { record: started, token: instance.token, policy, attached, modelRoutes });
  context.log.info(`sandbox ${name} started`);
  return started;
}
