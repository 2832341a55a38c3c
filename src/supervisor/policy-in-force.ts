/**
 * The policy that decides now. A revision that can't be read or would change what is fixed leaves the one before it in
 * force, and says why.
 */
import { compilePolicy } from "../policy/compile.ts";
import { differingStaticSections } from "../policy/diff-static.ts";
import { missingMiddleware } from "../policy/lint-middleware.ts";
import { observing } from "../policy/observe.ts";
import type { Policy } from "../policy/policy.ts";
import { formatProblem } from "../policy/problem.ts";
import { type PolicyResult, readPolicy } from "../policy/read-policy.ts";
import { type Json, treeFromJson } from "../policy/tree.ts";
import type { CompiledPolicy } from "../policy/verdict.ts";
import { messageJsonToWritten } from "../policy/wire-json.ts";
import type { PolicyRevision } from "./launch-spec.ts";

export interface PolicyInForce {
  readonly policy: Policy;
  readonly compiled: CompiledPolicy;
}

export type LoadedPolicy =
  | { readonly ok: true; readonly inForce: PolicyInForce }
  | { readonly ok: false; readonly error: string };

/** Reads a policy in the form in which the gateway sends it. */
export function readPolicyMessage(message: unknown): PolicyResult {
  return readPolicy(treeFromJson(messageJsonToWritten(message as Json)));
}

export interface LoadContext {
  /** The policy that the sandbox was built from, if it stands already. */
  readonly running?: Policy;
  /** The rules deny nothing here; see policy/observe.ts. */
  readonly observe: boolean;
}

/** Reads and compiles a revision. */
export function loadPolicy(revision: PolicyRevision, { running, observe }: LoadContext): LoadedPolicy {
  const { version, hash } = revision;
  const result = readPolicyMessage(revision.message);
  if (!result.ok) return { ok: false, error: result.problems.map((problem) => formatProblem(problem)).join("; ") };
  const missing = missingMiddleware(result.policy);
  if (missing !== undefined) return { ok: false, error: missing };
  const fixed = running ? differingStaticSections(running, result.policy) : [];
  if (fixed.length > 0) return { ok: false, error: `${fixed.join(", ")} can't change while the sandbox runs` };
  const compiled = compilePolicy(result.policy, { version, hash });
  return { ok: true, inForce: { policy: result.policy, compiled: observe ? observing(compiled) : compiled } };
}
