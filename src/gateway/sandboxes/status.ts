/** A sandbox's status as a value: each function gives a new one. */
import { clone, create } from "@bufbuild/protobuf";
import {
  type SandboxCondition,
  SandboxConditionSchema,
  SandboxPhase,
  type SandboxStatus,
  SandboxStatusSchema,
} from "../../gen/openshell/v1/sandbox_pb.ts";

/** One aspect of the status. */
export interface Condition {
  readonly type: "Scheduled" | "IsolationReady" | "PolicyLoaded" | "SupervisorConnected" | "Ready";
  readonly isTrue: boolean;
  /** One word in CamelCase. */
  readonly reason: string;
  readonly message: string;
}

export function newStatus(
  sandboxName: string,
  { phase, startedAtMs }: Pick<SandboxStatus, "phase" | "startedAtMs">,
): SandboxStatus {
  return create(SandboxStatusSchema, { sandboxName, phase, startedAtMs });
}

/** The status in a new phase, with the given conditions set; a condition's time changes only when its status does. */
export function withPhase(
  status: SandboxStatus,
  phase: SandboxPhase,
  { conditions = [], nowMs }: { readonly conditions?: readonly Condition[]; readonly nowMs: number },
): SandboxStatus {
  const next = clone(SandboxStatusSchema, status);
  next.phase = phase;
  for (const condition of conditions) setCondition(next, conditionMessage(condition, nowMs));
  return next;
}

/** Why nothing of a sandbox runs. */
export interface Halt {
  /** One word in CamelCase. */
  readonly reason: string;
  /** For people: why, and what helps; empty where nothing is wrong. */
  readonly message: string;
  readonly nowMs: number;
}

/** The status of a sandbox of which nothing runs: what was said and measured of its last start holds no longer. */
export function withNothingRunning(status: SandboxStatus, phase: SandboxPhase, halt: Halt): SandboxStatus {
  const { reason, message, nowMs } = halt;
  const lost = (["IsolationReady", "PolicyLoaded", "SupervisorConnected"] as const).map((type) => {
    return { type, isTrue: false, reason, message: "" } as const;
  });
  const ready = { type: "Ready", isTrue: false, reason, message } as const;
  const next = withPhase(status, phase, { conditions: [...lost, ready], nowMs });
  next.isolation = [];
  // How they ended is the supervisor's to say, at the next start.
  for (const command of next.commands) if (command.endedAtMs === 0n) command.endedAtMs = BigInt(nowMs);
  return next;
}

/** The status of a sandbox that should run, and that nobody will bring back unasked. */
export function notBroughtBack(status: SandboxStatus, why: string, nowMs: number): SandboxStatus {
  const message = `${why}; start the sandbox again with "openshell sandbox start ${status.sandboxName}"`;
  return withNothingRunning(status, SandboxPhase.ERROR, { reason: "NotBroughtBack", message, nowMs });
}

/** Replaces a message's condition of the same type. */
export function setCondition(status: SandboxStatus, condition: SandboxCondition): void {
  const at = status.conditions.findIndex(({ type }) => type === condition.type);
  if (at === -1) {
    status.conditions.push(condition);
    return;
  }
  const isSame = status.conditions[at]?.status === condition.status;
  if (isSame) condition.lastTransitionTime = status.conditions[at]?.lastTransitionTime ?? condition.lastTransitionTime;
  status.conditions[at] = condition;
}

function conditionMessage({ type, isTrue, reason, message }: Condition, nowMs: number): SandboxCondition {
  return create(SandboxConditionSchema, {
    type,
    status: isTrue ? "True" : "False",
    reason,
    message,
    lastTransitionTime: new Date(nowMs).toISOString(),
  });
}

/** The message of the condition that says why a sandbox is not ready; empty when none does. */
export function whyNotReady(status: SandboxStatus): string {
  const untrue = status.conditions.filter((condition) => condition.status === "False" && condition.message !== "");
  return (untrue.find(({ type }) => type === "Ready") ?? untrue[0])?.message ?? "";
}
