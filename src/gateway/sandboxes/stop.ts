import { SandboxPhase } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { GatewayContext } from "../context.ts";
import { failedPrecondition } from "../refuse.ts";
import { placementOf, type SandboxRecord } from "../store/store.ts";
import { supervisorEnded } from "../supervisors/supervisor-lost.ts";
import { endSupervisor } from "./end-supervisor.ts";
import { withPhase } from "./status.ts";

/** What programs get between SIGTERM and SIGKILL, as with `docker stop`. */
const GRACE_SECONDS = 10;

/** Stops a sandbox and waits until it has; its files stay. A stopped one is left as it is. */
export async function stopSandbox(context: GatewayContext, record: SandboxRecord): Promise<SandboxRecord> {
  if (record.desired === "deleted") throw failedPrecondition(`sandbox "${record.name}" is being deleted`);
  const stopping = await context.registry.change(record.id, (current) =>
    current.supervisor === undefined && current.status.phase === SandboxPhase.STOPPED
      ? undefined
      : {
          ...current,
          desired: "stopped",
          status: withPhase(
            current.status,
            current.supervisor === undefined ? SandboxPhase.STOPPED : SandboxPhase.STOPPING,
            { conditions: [{ type: "Ready", isTrue: false, reason: "Stopped", message: "" }], nowMs: context.now() },
          ),
        },
  );
  const supervisor = stopping?.supervisor;
  if (stopping === undefined || supervisor === undefined) return stopping ?? record;
  await endSupervisor(context, stopping, { graceSeconds: GRACE_SECONDS });
  await context.driver.kill(placementOf(stopping), supervisor);
  await supervisorEnded(context, { sandboxId: record.id, instanceId: supervisor.instanceId }, "stopped");
  return (await context.store.sandboxes.get(record.id)) ?? stopping;
}
