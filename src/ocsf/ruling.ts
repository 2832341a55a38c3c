/** What was decided or came of it, in the attributes of the profile `security_control` and of the event's status. */
import type { ReasonCode } from "../policy/reason-codes.ts";
import { type Decision, type DecisionAttributes, decisions } from "./enums/decision.ts";
import { type Status, type StatusAttributes, statuses } from "./enums/status.ts";
import { type FirewallRule, type PolicyObject, policyObject } from "./objects/rule.ts";

/** A decision with what it was made by. */
export interface Ruling {
  readonly decision: Decision;
  /** Name of the rule that allowed or denied, or that came nearest. */
  readonly rule?: string;
  /** Revision of the policy that was in force. */
  readonly revision?: number;
  /** Why not, for what is denied or only observed. */
  readonly reason?: ReasonCode;
  /** One sentence with what was asked. */
  readonly detail?: string;
}

/** The attributes of the profile `security_control` that we use, and the status that goes with them. */
export interface RulingAttributes extends DecisionAttributes, StatusAttributes {
  readonly status_code?: string;
  readonly status_detail?: string;
  readonly firewall_rule?: FirewallRule;
  readonly policy?: PolicyObject;
}

export function rulingAttributes(ruling: Ruling): RulingAttributes {
  return {
    ...decisions[ruling.decision],
    ...statuses[ruling.decision === "denied" || ruling.decision === "failed" ? "failure" : "success"],
    ...(ruling.reason && { status_code: ruling.reason }),
    ...(ruling.detail && { status_detail: ruling.detail }),
    ...(ruling.rule && { firewall_rule: { name: ruling.rule } }),
    ...(ruling.revision !== undefined && { policy: policyObject(ruling.revision) }),
  };
}

/** Whether something came off that nobody decided about; `detail` says why not. */
export interface ResultAttributes extends StatusAttributes {
  readonly status_detail?: string;
}

export function resultAttributes(status: Status, detail?: string): ResultAttributes {
  return { ...statuses[status], ...(detail && { status_detail: detail }) };
}
