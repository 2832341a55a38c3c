/** A proposal as scripts and people see it. */

import type { SandboxPolicyJson } from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import type { PolicyChunkJson } from "../../gen/openshell/v1/advisor_pb.ts";
import { policyDocument } from "../policy-json.ts";

/** Enough of an id to type. */
const shownDigits = 8;

export interface ProposalView {
  readonly id: string;
  readonly status: string;
  readonly rule_name: string;
  /** What it opens. */
  readonly rationale: string;
  /** Why it deserves a second look; empty if it does not. */
  readonly security_notes: string;
  readonly hit_count: number;
  /** RFC 3339. */
  readonly created_at: string;
  /** Why it can't be approved as it is. */
  readonly validation_result: string;
  readonly rejection_reason: string;
  readonly application_error: string;
  /** As it would stand in a policy file. */
  readonly network_policies: unknown;
}

export function proposalView(chunk: PolicyChunkJson): ProposalView {
  const { ruleName = "", proposedRule = {} } = chunk;
  const alone: SandboxPolicyJson = { version: 1, networkPolicies: { [ruleName]: proposedRule } };
  return {
    id: chunk.id ?? "",
    status: chunk.status ?? "",
    rule_name: ruleName,
    rationale: chunk.rationale ?? "",
    security_notes: chunk.securityNotes ?? "",
    hit_count: chunk.hitCount ?? 0,
    created_at: new Date(Number(chunk.createdAtMs ?? 0)).toISOString(),
    validation_result: chunk.validationResult ?? "",
    rejection_reason: chunk.rejectionReason ?? "",
    application_error: chunk.applicationError ?? "",
    network_policies: policyDocument(alone)["network_policies"],
  };
}

export function shortId(id: string): string {
  return id.slice(0, shownDigits);
}
