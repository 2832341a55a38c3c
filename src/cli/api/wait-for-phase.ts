/**
 * Waits until a sandbox is where it was sent.
 */
import type { SandboxJson, SandboxPhaseJson } from "../../gen/openshell/v1/sandbox_pb.ts";
import { CommandFailure } from "../command-failure.ts";
import type { Gateway } from "./gateway.ts";
import { watchSandbox } from "./methods.ts";
import { phaseName, sandboxView, trouble } from "./sandbox-view.ts";

/** @returns the sandbox once it is ready. Throws CommandFailure if it ends up anywhere else. */
export function waitForStart(sandbox: SandboxJson, gateway: Gateway): Promise<SandboxJson> {
  return waitForPhase(sandbox, gateway, "SANDBOX_PHASE_READY");
}

/** @returns the sandbox once it is stopped. Throws CommandFailure if it ends up anywhere else. */
export function waitForStop(sandbox: SandboxJson, gateway: Gateway): Promise<SandboxJson> {
  return waitForPhase(sandbox, gateway, "SANDBOX_PHASE_STOPPED");
}

async function waitForPhase(sandbox: SandboxJson, gateway: Gateway, wanted: SandboxPhaseJson): Promise<SandboxJson> {
  if (sandbox.status?.phase === wanted) return sandbox;
  const id = sandbox.metadata?.id ?? "";
  for await (const event of gateway.channel.serverStream(watchSandbox, { id, followStatus: true })) {
    if (!event.sandbox) continue;
    if (event.sandbox.status?.phase === wanted) return event.sandbox;
    refuseIfSettled(event.sandbox, wanted);
  }
  throw new CommandFailure(
    `the gateway stopped telling about the sandbox before it was ${phaseName(wanted).toLowerCase()}`,
  );
}

/** Phases in which a sandbox stays until somebody does something. */
function refuseIfSettled(sandbox: SandboxJson, wanted: SandboxPhaseJson): void {
  const phase = sandbox.status?.phase;
  const settled =
    phase === "SANDBOX_PHASE_ERROR" ||
    phase === "SANDBOX_PHASE_DELETING" ||
    (phase === "SANDBOX_PHASE_STOPPED" && wanted === "SANDBOX_PHASE_READY");
  if (!settled) return;
  const view = sandboxView(sandbox);
  const why = trouble(view);
  throw new CommandFailure(
    `sandbox ${view.name} is ${phaseName(phase).toLowerCase()}${why === undefined ? "" : `: ${why}`}`,
    {
      code: "failed_precondition",
      hint: `\`openshell logs ${view.name}\` tells more; \`openshell doctor\` looks at this machine`,
    },
  );
}
