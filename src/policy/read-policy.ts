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

/** More than anybody mends in one go; a file of another kind would be wrong in every line. */
const mostProblems = 100;

/** Takes a tree from a file or from a message. Problems are in the order of what they are about. */
export function readPolicy(tree: Tree): PolicyResult {
  const problems: Problem[] = [];
  const written = policySchema(tree, { key: [], problems });
  if (written === undefined || problems.length > 0) return { ok: false, problems: located(problems, tree) };
  const policy = normalizePolicy(written, problems);
  // A policy that lacks what could not be understood would be reported for that, too.
  if (problems.length > 0) return { ok: false, problems: located(problems, tree) };
  const found = lintPolicy(policy);
  const isRefused = found.some(({ severity }) => severity === "error");
  // Errors first, so that no number of warnings can hide one.
  const ordered = located(
    found.toSorted((a, b) => Number(b.severity === "error") - Number(a.severity === "error")),
    tree,
  );
  if (isRefused) return { ok: false, problems: ordered };
  return { ok: true, policy, warnings: ordered };
}

function located(problems: readonly Problem[], tree: Tree): Problem[] {
  return problems
    .slice(0, mostProblems)
    .map((problem) =>
      problem.place === undefined ? { ...problem, ...placeInfo(placeOf(tree, problem.key)) } : problem,
    );
}
