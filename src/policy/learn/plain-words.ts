/** What a rule opens, in words for the person who has to say yes or no. */
import type { Endpoint, NetworkRule, RequestMatcher } from "../policy.ts";

/** Rules of an endpoint that are told one by one. */
const shownRules = 6;

/** One sentence for each endpoint, without a full stop. */
export function inPlainWords({ binaries, endpoints }: NetworkRule): string[] {
  const who = binaries.includes("any") ? "any program" : binaries.join(", ");
  return endpoints.map((endpoint) => `lets ${who} ${whatOf(endpoint)} ${whereOf(endpoint)}`);
}

function whereOf({ host, ports, allowedIps }: Endpoint): string {
  const site = `${host ?? "any host"} port ${ports.join(", ")}`;
  return allowedIps.length === 0 ? site : `${site} where it leads to ${allowedIps.join(", ")}`;
}

function whatOf({ protocol, access, rules = [] }: Endpoint): string {
  if (protocol === undefined || protocol === "tcp") return "exchange any bytes, unseen, with";
  if (access === "read-only") return "read everything (GET, HEAD, OPTIONS) on";
  if (access === "read-write") return "read and write everything (all but DELETE) on";
  if (access === "full") return "make any request to";
  const shown = rules.slice(0, shownRules).map(matcherInWords);
  if (rules.length > shownRules) shown.push(`and ${rules.length - shownRules} more`);
  return `${protocol === "rest" ? "ask" : protocol} ${shown.join("; ")} on`;
}

function matcherInWords({ method, path, operationType, fields, tool, query }: RequestMatcher): string {
  if (operationType !== undefined) return `${operationType} ${fields?.join(", ") ?? "anything"}`;
  const what = tool === undefined ? path : tool.join(", ");
  const conditions = Array.from(query ?? [], ([name, globs]) => `${name}=${globs.join(" or ")}`);
  const where = conditions.length === 0 ? "" : ` with ${conditions.join(" and ")}`;
  return `${[method ?? "any method", what ?? ""].join(" ").trim()}${where}`;
}
