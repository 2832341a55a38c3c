/**
 * The `policy update` command that adds a suggested rule.
 */
import type { SuggestedEndpoint, Suggestion } from "../../policy/smallest-rule.ts";

/**
 * @returns the command line, to be pasted into a shell; undefined where the command's flags cannot say the rule.
 */
export function updateCommand(suggestion: Suggestion, sandbox: string): string | undefined {
  const [[ruleName, rule] = []] = Object.entries(suggestion.network_policies);
  if (ruleName === undefined || rule === undefined) return undefined;
  const [endpoint] = rule.endpoints;
  if (endpoint.allow_encoded_slash || endpoint.path !== undefined) return undefined;
  if (endpoint.rules?.some(({ allow }) => "query" in allow)) return undefined;
  const words = ["openshell", "policy", "update", sandbox, ...endpointFlags(endpoint)];
  words.push("--binary", rule.binaries[0].path, "--rule-name", ruleName, "--wait");
  // A line break or an escape sequence in a program's name would be run, or hide what is.
  if (words.some((word) => /[^\x20-\x7e]/.test(word))) return undefined;
  return words.map(quoted).join(" ");
}

function endpointFlags({ host, port, access, protocol, rules = [] }: SuggestedEndpoint): string[] {
  const site = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const added = `${site}:${access ?? ""}:${protocol ?? ""}`.replace(/:+$/, "");
  const allowed = rules.flatMap(({ allow }) =>
    "path" in allow ? ["--add-allow", `${site}:${allow.method}:${allow.path}`] : [],
  );
  return ["--add-endpoint", added, ...allowed];
}

/** For a POSIX shell: programs' paths are the sandbox's to choose, and must not become commands of the user's. */
function quoted(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}
