/**
 * What a control did about something, as the profile `security_control` says it: `action` is what was meant,
 * `disposition` what came of it.
 */

/**
 * `observed`: the policy would have denied it, but its endpoint has `enforcement: audit`, or its sandbox is only
 * observed. `failed`: it was allowed, and then did not come off.
 */
export type Decision = "allowed" | "denied" | "observed" | "failed";

/** The attributes of the profile that say the decision. */
export interface DecisionAttributes {
  readonly action_id: number;
  readonly action: string;
  readonly disposition_id: number;
  readonly disposition: string;
}

export const decisions: Readonly<Record<Decision, DecisionAttributes>> = {
  allowed: { action_id: 1, action: "Allowed", disposition_id: 1, disposition: "Allowed" },
  denied: { action_id: 2, action: "Denied", disposition_id: 2, disposition: "Blocked" },
  observed: { action_id: 3, action: "Observed", disposition_id: 17, disposition: "Logged" },
  failed: { action_id: 1, action: "Allowed", disposition_id: 27, disposition: "Error" },
};
