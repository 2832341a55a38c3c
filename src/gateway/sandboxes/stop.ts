import { setTimeout as delay } from "node:timers/promises";
import { type SandboxCondition, SandboxPhase } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { GatewayContext } from "../context.ts";
import { failedPrecondition } from "../refuse.ts";
import { placementOf, type SandboxRecord } from "../store/store.ts";
import { supervisorEnded } from "../supervisors/supervisor-lost.ts";
import { endSupervisor } from "./end-supervisor.ts";
import { withNothingRunning, withPhase } from "./status.ts";

/** What programs get between SIGTERM and SIGKILL, as with `docker stop`. */
const GRACE_SECONDS = 10;

/** Longer than a supervisor waits between two attempts to connect. */
const RETURN_MS = 2_500;
const RETURN_CHECK_MS = 20;

/** Why a sandbox is stopped, where nobody has asked for it. */
export interface WhyStopped {
  readonly reason: string;
  readonly message: string;
}

/** Stops a sandbox and waits until it has; its files stay. A stopped one is left as it is. */
export async function stopSandbox(
  context: GatewayContext,
  record: SandboxRecord,
  why: WhyStopped = { reason: "Stopped", message: "" },
): Promise<SandboxRecord> {
  if (record.desired === "deleted") throw failedPrecondition(`sandbox "${record.name}" is being deleted`);
  const nowMs = context.now();
  const stopping = await context.registry.change(record.id, (current) => {
    const { supervisor, status } = current;
    if (supervisor === undefined && status.phase === SandboxPhase.STOPPED) return undefined;
    const condition = { type: "Ready", isTrue: false, ...why } as const;
    return {
      ...current,
      desired: "stopped",
      status:
        supervisor === undefined
          ? withNothingRunning(status, SandboxPhase.STOPPED, { ...why, nowMs })
          : withPhase(status, SandboxPhase.STOPPING, { conditions: [condition], nowMs }),
    };
  });
  const supervisor = stopping?.supervisor;
  if (stopping === undefined || supervisor === undefined) return stopping ?? record;
  await endSupervisor(context, stopping, { graceSeconds: GRACE_SECONDS });
  await context.runs.run(record.id, async () => {
    const current = await context.store.sandboxes.get(record.id);
    // Another one is somebody else's, who has started it since.
    if (current?.supervisor?.instanceId === supervisor.instanceId) {
      await context.driver.kill(placementOf(current), supervisor);
    }
  });
  const instance = { sandboxId: record.id, instanceId: supervisor.instanceId };
  await supervisorEnded(context, instance, why.message || "stopped");
  return (await context.store.sandboxes.get(record.id)) ?? stopping;
}

/**
 * Goes on with a stop that a gateway has begun which was killed. The supervisor was told that there is a gateway again, and gets
 * a moment to come back: then its programs can be asked to end, and are not just killed.
 */
export async function finishStop(context: GatewayContext, record: SandboxRecord): Promise<void> {
  const { sessions, driver, signal } = context;
  const { id, supervisor, status } = record;
  const isAwaited = () => sessions.get(id) === undefined && supervisor !== undefined && driver.isRunning(supervisor);
  for (const end = performance.now() + RETURN_MS; isAwaited() && performance.now() < end; )
    await delay(RETURN_CHECK_MS);
  if (signal.aborted) return;
  const { reason = "Stopped", message = "" } = status.conditions.find(isReasonOfStop) ?? {};
  await stopSandbox(context, record, { reason, message });
}

/** A gateway that dies between two writes leaves what it said of the running sandbox. */
function isReasonOfStop({ type, status }: SandboxCondition): boolean {
  return type === "Ready" && status === "False";
}
