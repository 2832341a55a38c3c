/** A rule that somebody proposed: whether it can be one, and what it would do to a policy. */

import { createHash } from "node:crypto";
import { clone, create, toBinary } from "@bufbuild/protobuf";
import {
  type NetworkPolicyRule,
  NetworkPolicyRuleSchema,
  type SandboxPolicy,
  SandboxPolicySchema,
} from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { PolicyMergeOperationSchema } from "../../gen/openshell/v1/policy_pb.ts";
import { inPlainWords } from "../../policy/learn/plain-words.ts";
import { securityNotes } from "../../policy/learn/security-notes.ts";
import { mergePolicy } from "../../policy/merge.ts";
import { formatProblem } from "../../policy/problem.ts";
import { policyFromMessage } from "../../policy/wire.ts";

export type ProposedRule =
  | {
      readonly ok: true;
      readonly rule: NetworkPolicyRule;
      /** What it opens, one sentence for each endpoint. */
      readonly rationale: string;
      /** Why it deserves a second look; empty if it does not. */
      readonly securityNotes: string;
    }
  | { readonly ok: false; readonly why: string };

/**
 * Checks a rule by itself, and says what it means beside the policy that it would be added to. Whoever proposes it, its
 * endpoints are marked as proposed: private addresses then need `allowed_ips`, which a person sees.
 */
export function checkProposedRule(
  name: string,
  proposed: NetworkPolicyRule | undefined,
  current: SandboxPolicy,
): ProposedRule {
  if (name === "" || proposed === undefined) return { ok: false, why: "a proposal needs a rule and its name" };
  const rule = clone(NetworkPolicyRuleSchema, proposed);
  for (const endpoint of rule.endpoints) endpoint.advisorProposed = true;
  const alone = create(SandboxPolicySchema, { version: 1, networkPolicies: { [name]: rule } });
  const read = policyFromMessage(alone);
  if (!read.ok) return { ok: false, why: read.problems.map((problem) => formatProblem(problem)).join("; ") };
  const meant = read.policy.networkPolicies.get(name);
  const beside = policyFromMessage(current);
  if (meant === undefined || !beside.ok) return { ok: false, why: "the policy in force can't be read" };
  const rationale = inPlainWords(meant).join("; ");
  return { ok: true, rule, rationale, securityNotes: securityNotes(meant, beside.policy).join("; ") };
}

export interface NamedRule {
  readonly ruleName: string;
  readonly rule: NetworkPolicyRule;
}

/** The policy with rules added; each under a name that no other rule has, so that it can be taken back. */
export function withRules(current: SandboxPolicy, rules: readonly NamedRule[]): SandboxPolicy {
  const operations = rules.map((value) =>
    create(PolicyMergeOperationSchema, { operation: { case: "addRule", value } }),
  );
  const merged = mergePolicy(current, operations);
  if (!merged.ok) throw new Error(`a rule could not be added: ${merged.message}`);
  return merged.policy;
}

/** A name like the one that is wanted. */
export function freeRuleName(wanted: string, taken: ReadonlySet<string>): string {
  let name = wanted;
  for (let count = 2; taken.has(name); count++) name = `${wanted}_${count}`;
  return name;
}

/** Stands for a rule and the policy that it is added to: whoever shows it again has seen both as they are. */
export function reviewToken(rule: NetworkPolicyRule, policyHash: string): string {
  return createHash("sha256")
    .update(policyHash)
    .update(toBinary(NetworkPolicyRuleSchema, rule))
    .digest("hex")
    .slice(0, 32);
}
