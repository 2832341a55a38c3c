import { stat } from "node:fs/promises";
import { clearField } from "@bufbuild/protobuf";
import { SandboxPhase, type SandboxStatus, SandboxStatusSchema } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { GatewayContext } from "../context.ts";
import type { FolderRequest } from "../drivers/driver.ts";
import { folderRequests } from "../folders/requests.ts";
import { routesForSupervisor } from "../inference/push-routes.ts";
import { settledPolicy } from "../policies/settle-policy.ts";
import { attachedProviders } from "../providers/attached-providers.ts";
import { failedPrecondition, notFound } from "../refuse.ts";
import { placementOf, type SandboxRecord } from "../store/store.ts";
import { launch, newInstance } from "./launch.ts";
import { requireResources } from "./limits.ts";
import { isCommandRunAgain } from "./own-command.ts";
import { withPhase } from "./status.ts";
import { requireNoFileWork } from "./while-stopped.ts";

export interface StartOptions {
  /** Nobody has asked: the sandbox goes on where it was, and starts only if it still should. */
  readonly isRevival?: boolean;
}

/**
 * Starts a stopped or failed sandbox again; a running one is left as it is. Does not wait until it is ready.
 * Throws FAILED_PRECONDITION while it is being deleted, or while its former supervisor still runs.
 */
export async function startSandbox(
  context: GatewayContext,
  record: SandboxRecord,
  options: StartOptions = {},
): Promise<SandboxRecord> {
  // Two starts of one sandbox would each end the other's processes.
  const underWay = context.starting.get(record.id);
  if (underWay !== undefined) return underWay;
  const starting = context.runs
    .run(record.id, () => start(context, record.id, options))
    .finally(() => context.starting.delete(record.id));
  context.starting.set(record.id, starting);
  return starting;
}

async function start(
  context: GatewayContext,
  sandboxId: string,
  { isRevival = false }: StartOptions,
): Promise<SandboxRecord> {
  const record = await context.store.sandboxes.get(sandboxId);
  if (record === undefined) throw notFound("the sandbox");
  const { name, supervisor } = record;
  if (record.desired === "deleted") throw failedPrecondition(`sandbox "${name}" is being deleted`);
  requireNoFileWork(context, record);
  if (supervisor !== undefined && context.driver.isRunning(supervisor)) {
    if (record.desired === "running") return record;
    throw failedPrecondition(`sandbox "${name}" is still stopping; try again`);
  }
  if (!isRevival) context.revivals.forget(record.id);
  const policy = await settledPolicy(context, record);
  if (policy === undefined) throw failedPrecondition(`sandbox "${name}" has no policy that can be loaded`);
  const attached = await attachedProviders(context, record);
  const modelRoutes = await routesForSupervisor(context, record.workspace);
  // What an instance that was killed may have left behind must not run beside the new one.
  await context.driver.kill(placementOf(record), supervisor);
  const prepared = await context.driver.prepare(placementOf(record), {
    folders: await presentFolders(record),
    ...requireResources(context.driver, record.spec),
  });
  const instance = newInstance(prepared);
  const { hostUid } = prepared.placement;
  const started = await context.registry.change(record.id, (current) => {
    if (current.desired === "deleted" || (isRevival && current.desired !== "running")) return undefined;
    const status = startingStatus(current, isRevival, context);
    return { ...current, ...instance.record, ...(hostUid !== undefined && { hostUid }), desired: "running", status };
  });
  if (started?.supervisor?.instanceId !== instance.record.supervisor.instanceId) {
    await context.driver.kill(prepared.placement, prepared.process);
    if (started === undefined) await context.driver.remove(prepared.placement);
    throw failedPrecondition(`sandbox "${name}" was ${started?.desired ?? "deleted"} meanwhile`);
  }
  const runsCommand = !isRevival || isCommandRunAgain(started);
  launch(context, prepared, { record: started, token: instance.token, policy, attached, modelRoutes, runsCommand });
  context.log.info(`sandbox ${name} ${isRevival ? "brought back" : "started"}`);
  return started;
}

function startingStatus({ status }: SandboxRecord, isRevival: boolean, { now }: GatewayContext): SandboxStatus {
  const next = withPhase(status, SandboxPhase.STARTING, {
    conditions: [{ type: "Ready", isTrue: false, reason: "Starting", message: "" }],
    nowMs: now(),
  });
  // Said of the start before.
  next.conditions = next.conditions.filter(({ type }) => type !== "OutOfMemory" && type !== "OutOfDisk");
  if (isRevival) return next;
  clearField(next, SandboxStatusSchema.field.exitCode);
  next.restartCount = 0;
  next.startedAtMs = BigInt(now());
  return next;
}

/** Throws FAILED_PRECONDITION if one is gone: without it the sandbox would work on something else. */
async function presentFolders({ name, spec }: SandboxRecord): Promise<FolderRequest[]> {
  const folders = folderRequests(spec);
  for (const { host } of folders) {
    if ((await stat(host).catch(() => undefined)) !== undefined) continue;
    throw failedPrecondition(`${host}, which sandbox "${name}" works on, is gone; put it back, or delete the sandbox`);
  }
  return folders;
}
