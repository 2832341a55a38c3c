/** Policy files: YAML text → Policy, or everything that is wrong with it. */
import { type PolicyResult, readPolicy } from "./read-policy.ts";
import { parseYamlTree } from "./yaml-tree.ts";

/** Takes the text of a policy file. Problems carry line and column; `formatProblem` adds the file's name. */
export function parsePolicy(text: string): PolicyResult {
  const parsed = parseYamlTree(text);
  return parsed.ok ? readPolicy(parsed.tree) : parsed;
}
