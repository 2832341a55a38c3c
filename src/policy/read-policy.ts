/** Tree → Policy: reads, normalises and lints. The one gate that every policy passes, from a file or from the API. */
import { lintPolicy } from "./lint.ts";
import { normalizePolicy } from "./normalize.ts";
import type { Policy } from "./policy.ts";
import { type Problem, placeInfo } from "./problem.ts";
import { policySchema } from "./schema.ts";
import { placeOf, type Tree } from "./tree.ts";

export type PolicyResult =
  | { readonly ok: true; readonly policy: Policy; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function readPolicy(tree: Tree): PolicyResult {
  const problems: Problem[] = [];
  const written = policySchema(tree, { key: [], problems });
  if (written === undefined || problems.length > 0) return { ok: false, problems: located(problems, tree) };
  const policy = normalizePolicy(written, problems);
  // A policy that lacks what could not be understood would be reported for that, too.
  if (problems.length > 0) return { ok: false, problems: located(problems, tree) };
  const found = located(lintPolicy(policy), tree);
  if (found.some(({ severity }) => severity === "error")) return { ok: false, problems: found };
  return { ok: true, policy, warnings: found };
}

function located(problems: readonly Problem[], tree: Tree): Problem[] {
  return problems.map((problem) =>
    problem.place === undefined ? { ...problem, ...placeInfo(placeOf(tree, problem.key)) } : problem,
  );
}
