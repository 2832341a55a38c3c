import type { SandboxPolicy } from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { defaultPolicy } from "../../policy/default-policy.ts";
import { differingStaticSections } from "../../policy/diff-static.ts";
import { hashPolicy } from "../../policy/hash.ts";
import { missingMiddleware } from "../../policy/lint-middleware.ts";
import { parsePolicy } from "../../policy/parse.ts";
import type { Policy } from "../../policy/policy.ts";
import { formatProblem, type Problem } from "../../policy/problem.ts";
import { policyFromMessage, policyToMessage } from "../../policy/wire.ts";
import { failedPrecondition, invalid } from "../refuse.ts";

/** A policy that may be stored. */
export interface CheckedPolicy {
  readonly policy: Policy;
  /** Normalised: written differently, the same policy gives the same message and hash. */
  readonly message: SandboxPolicy;
  readonly hash: string;
  readonly warnings: readonly string[];
}

/**
 * Checks a policy as a client sent it; none means the restrictive default. Throws INVALID_ARGUMENT naming each error, and
 * FAILED_PRECONDITION for one that can't be run by.
 */
export function checkPolicy(message: SandboxPolicy | undefined): CheckedPolicy {
  if (message === undefined) return checked(defaultPolicy, []);
  const result = policyFromMessage(message);
  if (!result.ok) {
    const errors = result.problems.filter(({ severity }) => severity === "error");
    throw invalid(`the policy has errors:\n${listOf(errors)}`);
  }
  const missing = missingMiddleware(result.policy);
  if (missing !== undefined) {
    throw failedPrecondition(`${missing}; take it out of the policy if it may run without`);
  }
  return checked(
    result.policy,
    result.warnings.map((problem) => formatProblem(problem)),
  );
}

/** The policy (YAML) that an image brings. Throws FAILED_PRECONDITION naming each error, as nobody is there to mend it. */
export function imagePolicy(text: string, image: string): SandboxPolicy {
  const result = parsePolicy(text);
  if (result.ok) return policyToMessage(result.policy);
  const errors = result.problems.filter(({ severity }) => severity === "error");
  throw failedPrecondition(
    `/etc/openshell/policy.yaml of the image ${image} has errors; give a policy with --policy:\n${listOf(errors)}`,
  );
}

const listOf = (errors: readonly Problem[]) => errors.map((problem) => `  ${formatProblem(problem)}`).join("\n");

/** Throws FAILED_PRECONDITION when `next` differs from `current` where a running sandbox cannot change. */
export function refuseStaticChange(current: SandboxPolicy, next: Policy, sandboxName: string): void {
  const before = policyFromMessage(current);
  if (!before.ok) throw new Error(`the stored policy of ${sandboxName} has errors`);
  const sections = differingStaticSections(before.policy, next);
  if (sections.length === 0) return;
  throw failedPrecondition(
    `these sections are fixed when a sandbox is created, and differ: ${sections.join(", ")}. ` +
      `Delete sandbox "${sandboxName}" and create it again with the new policy, or leave the sections as they are`,
  );
}

function checked(policy: Policy, warnings: readonly string[]): CheckedPolicy {
  return { policy, message: policyToMessage(policy), hash: hashPolicy(policy), warnings };
}
