import { setTimeout as delay } from "node:timers/promises";
import { SandboxPhase } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { GatewayContext } from "../context.ts";
import { withPhase } from "../sandboxes/status.ts";
import { placementOf, type SandboxRecord } from "../store/store.ts";

interface Instance {
  readonly sandboxId: string;
  readonly instanceId: string;
}

/** A process that ends closes its sockets first; so long it may still be seen afterwards. */
const ENDING_MS = 500;
const ENDING_CHECK_MS = 25;
/** Longer than a supervisor waits between two attempts to connect: then it should have been back. */
const RECONNECT_MS = 7_500;

/**
 * A supervisor that should run is not connected. If its process has ended, the sandbox has; else it is given time to come
 * back, and after that its state is unknown, though it goes on enforcing its policy.
 */
export async function supervisorLost(context: GatewayContext, instance: Instance): Promise<void> {
  const { store, driver, signal } = context;
  // A gateway that stops closes its sessions itself; the supervisors go on.
  if (signal.aborted) return;
  for (const deadline = context.now() + ENDING_MS; context.now() < deadline; await delay(ENDING_CHECK_MS)) {
    const record = await store.sandboxes.get(instance.sandboxId);
    if (record?.supervisor?.instanceId !== instance.instanceId || record.desired !== "running") return;
    if (!driver.isRunning(record.supervisor)) {
      // Whoever started it is about to be told how it ended, which says more.
      if (context.ownInstances.has(instance.instanceId)) return;
      return supervisorEnded(context, instance, "the supervisor ended");
    }
    if (context.sessions.get(instance.sandboxId) !== undefined) return;
  }
  await change(context, instance, (record) => disconnected(record, record.status.phase, context.now()));
  setTimeout(() => void stillGone(context, instance), RECONNECT_MS).unref();
}

/** The supervisor's process has ended, wanted or not. `why` is for people. */
export async function supervisorEnded(context: GatewayContext, instance: Instance, why: string): Promise<void> {
  const record = await change(context, instance, (current) => {
    const { supervisor: _gone, ...rest } = current;
    if (current.desired === "deleted") return rest;
    const isStopped = current.desired === "stopped";
    const wasError = current.status.phase === SandboxPhase.ERROR;
    return {
      ...rest,
      status: withPhase(current.status, isStopped ? SandboxPhase.STOPPED : SandboxPhase.ERROR, {
        conditions: [
          { type: "SupervisorConnected", isTrue: false, reason: "Ended", message: "" },
          // What the supervisor itself said of a failed start explains more than that it then ended.
          ...(wasError || isStopped ? [] : [endedCondition(current, why)]),
          ...(isStopped ? [{ type: "Ready", isTrue: false, reason: "Stopped", message: "" } as const] : []),
        ],
        nowMs: context.now(),
      }),
    };
  });
  // A sandbox that is being deleted is cleared by whoever deletes it.
  if (record === undefined || record.supervisor !== undefined || record.desired === "deleted") return;
  context.log.info(`sandbox ${record.name}: ${why}`);
  // Its processes die with it; this makes certain.
  await context.driver.kill(placementOf(record), undefined);
}

async function stillGone(context: GatewayContext, instance: Instance): Promise<void> {
  if (context.signal.aborted) return;
  if (context.sessions.get(instance.sandboxId) !== undefined) return;
  const record = await context.store.sandboxes.get(instance.sandboxId);
  if (record?.supervisor?.instanceId !== instance.instanceId) return;
  if (!context.driver.isRunning(record.supervisor)) await supervisorEnded(context, instance, "the supervisor ended");
  else await change(context, instance, (current) => disconnected(current, SandboxPhase.UNKNOWN, context.now()));
}

function change(
  context: GatewayContext,
  instance: Instance,
  make: (record: SandboxRecord) => SandboxRecord,
): Promise<SandboxRecord | undefined> {
  return context.registry.change(instance.sandboxId, (record) =>
    record.supervisor?.instanceId === instance.instanceId ? make(record) : undefined,
  );
}

function disconnected(record: SandboxRecord, phase: SandboxPhase, nowMs: number): SandboxRecord {
  const message = "the supervisor runs, and enforces its policy, but is not connected";
  const condition = { type: "SupervisorConnected", isTrue: false, reason: "Disconnected", message } as const;
  return { ...record, status: withPhase(record.status, phase, { conditions: [condition], nowMs }) };
}

function endedCondition(record: SandboxRecord, why: string) {
  const message = `${why}; start the sandbox again with "openshell sandbox start ${record.name}"`;
  return { type: "Ready", isTrue: false, reason: "SupervisorEnded", message } as const;
}
