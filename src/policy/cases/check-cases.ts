/** Asks a policy each case of a file, and compares its answers with what is expected. */
import { type Answer, ask } from "../ask.ts";
import { compilePolicy } from "../compile.ts";
import type { Policy } from "../policy.ts";
import type { ReasonCode } from "../reason-codes.ts";
import type { Case, Outcome } from "./read-cases.ts";

export interface CaseResult {
  readonly case: Case;
  /** What the policy says. */
  readonly got: { readonly outcome: Outcome; readonly reason?: ReasonCode; readonly rule?: string };
  readonly isAsExpected: boolean;
}

/** In the order of the cases. */
export function checkCases(policy: Policy, cases: readonly Case[]): CaseResult[] {
  const compiled = compilePolicy(policy, { version: 0, hash: "" });
  return cases.map((asked) => {
    const got = outcomeOf(ask(compiled, asked.question));
    const isAsExpected =
      got.outcome === asked.expect &&
      (asked.reason === undefined || got.reason === asked.reason) &&
      (asked.rule === undefined || got.rule === asked.rule);
    return { case: asked, got, isAsExpected };
  });
}

function outcomeOf({ connect, request }: Answer): CaseResult["got"] {
  const verdict = request ?? connect;
  if (verdict.kind === "allow") return { outcome: "allow", rule: verdict.rule };
  const isAudited = "auditOnly" in verdict && verdict.auditOnly;
  const { reason, rule } = verdict;
  return { outcome: isAudited ? "audit" : "deny", reason, ...(rule === undefined ? {} : { rule }) };
}
