/** A sandbox's status as a value: each function gives a new one. */
import { clone, create } from "@bufbuild/protobuf";
import {
  type SandboxCondition,
  SandboxConditionSchema,
  type SandboxPhase,
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

export function newStatus(sandboxName: string, phase: SandboxPhase): SandboxStatus {
  return create(SandboxStatusSchema, { sandboxName, phase });
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
