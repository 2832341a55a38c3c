/** What can't be meant in one allow or deny rule; which fields may be given depends on the endpoint's protocol. */

import { longestGlob } from "./match/glob.ts";
import { pathGlobProblem } from "./match/path.ts";
import type { Endpoint, RequestMatcher } from "./policy.ts";
import type { KeyPath, Problem } from "./problem.ts";
import { websocketText } from "./websocket-text.ts";

export interface MatcherPlace {
  readonly endpoint: Endpoint;
  readonly purpose: "allow" | "deny";
  readonly key: KeyPath;
}

/** Fields of a matcher, and how they are written. */
const writtenNames: Readonly<Record<keyof RequestMatcher, string>> = {
  method: "method",
  path: "path",
  query: "query",
  operationType: "operation_type",
  operationName: "operation_name",
  fields: "fields",
  tool: "tool",
};

const httpFields: readonly (keyof RequestMatcher)[] = ["method", "path", "query"];
const graphqlFields: readonly (keyof RequestMatcher)[] = ["operationType", "operationName", "fields"];

/** Problems are about the matcher, and about its fields by the names they are written under. */
export function lintMatcher(matcher: RequestMatcher, place: MatcherPlace): Problem[] {
  return [...lintGlobs(matcher, place), ...lintByProtocol(matcher, place)];
}

function lintByProtocol(matcher: RequestMatcher, place: MatcherPlace): Problem[] {
  const { protocol } = place.endpoint;
  switch (protocol) {
    case undefined:
    case "tcp":
      // That there are rules at all is reported once, for the endpoint.
      return [];
    case "rest":
      return [...onlyFields(matcher, httpFields, place), ...lintHttp(matcher, place)];
    case "websocket":
      return lintWebsocket(matcher, place);
    case "graphql":
      return lintGraphql(matcher, place);
    case "json-rpc":
      return [...onlyFields(matcher, ["method"], place), ...lintJsonRpc(matcher, place)];
    case "mcp":
      return [...onlyFields(matcher, ["method", "tool"], place), ...lintMcp(matcher, place)];
    default:
      return protocol satisfies never;
  }
}

function onlyFields(matcher: RequestMatcher, known: readonly (keyof RequestMatcher)[], place: MatcherPlace): Problem[] {
  return givenFields(matcher)
    .filter((field) => !known.includes(field))
    .map((field) => error([...place.key, writtenNames[field]], `is not for \`protocol: ${place.endpoint.protocol}\``));
}

function givenFields(matcher: RequestMatcher): (keyof RequestMatcher)[] {
  return (Object.keys(writtenNames) as (keyof RequestMatcher)[]).filter((field) => matcher[field] !== undefined);
}

function lintHttp(matcher: RequestMatcher, place: MatcherPlace): Problem[] {
  const problems: Problem[] = [];
  if (matcher.method === undefined) problems.push(error(place.key, "`method` is missing; `*` stands for any"));
  else problems.push(...lintMethod(matcher.method, place));
  // A rule that forgets its path would otherwise speak for the whole host.
  if (matcher.path === undefined) problems.push(error(place.key, "`path` is missing; `**` stands for any"));
  // In a deny rule it would let pass what it seems to deny.
  else if (/\?[^/?=]+=/.test(matcher.path)) {
    const message = "never holds for a query: `?` stands for one character of a path; write conditions under `query`";
    problems.push({ severity: "warning", message, key: [...place.key, "path"] });
  }
  return problems;
}

function lintMethod(method: string, place: MatcherPlace): Problem[] {
  const key = [...place.key, "method"];
  if (method === "*") return [];
  // RFC 9110 section 9.1: a method is a token.
  if (!/^[A-Z0-9!#$%&'+.^_`|~-]+$/.test(method)) return [error(key, "must be one method, or `*`")];
  if (place.purpose === "allow" && (method === "CONNECT" || method === "TRACE")) {
    return [error(key, `can never match: ${method} is always refused`)];
  }
  if (place.endpoint.protocol === "websocket") {
    return method === "GET" || method === websocketText
      ? []
      : [error(key, `must be \`GET\` for the upgrade, \`${websocketText}\` for messages, or \`*\``)];
  }
  if (method === websocketText) return [error(key, "is for `protocol: websocket`")];
  return [];
}

function lintWebsocket(matcher: RequestMatcher, place: MatcherPlace): Problem[] {
  if (!graphqlFields.some((field) => matcher[field] !== undefined)) {
    return [...onlyFields(matcher, httpFields, place), ...lintHttp(matcher, place)];
  }
  // An upgrade has no operation and a message has no method: a rule with both would never match.
  return [...onlyFields(matcher, graphqlFields, place), ...lintOperation(matcher, place)];
}

function lintGraphql(matcher: RequestMatcher, place: MatcherPlace): Problem[] {
  return [...onlyFields(matcher, graphqlFields, place), ...lintOperation(matcher, place)];
}

function lintOperation(matcher: RequestMatcher, place: MatcherPlace): Problem[] {
  const key = [...place.key, "operation_type"];
  if (matcher.operationType === undefined) return [error(place.key, "`operation_type` is missing; `*` stands for any")];
  if (["query", "mutation", "subscription", "*"].includes(matcher.operationType)) return [];
  return [error(key, "must be `query`, `mutation`, `subscription` or `*`")];
}

function lintJsonRpc(matcher: RequestMatcher, place: MatcherPlace): Problem[] {
  if (matcher.method === undefined) return [error(place.key, "`method` is missing; `*` stands for any")];
  // Methods are compared as they are; a glob that is taken for a name would never match.
  if (matcher.method !== "*" && matcher.method.includes("*")) {
    return [error([...place.key, "method"], "must be an exact method, or `*` alone")];
  }
  return [];
}

function lintMcp(matcher: RequestMatcher, place: MatcherPlace): Problem[] {
  const problems: Problem[] = [];
  const profile = place.endpoint.mcp.allowAllKnownMethods;
  const methodKey = [...place.key, "method"];
  if (matcher.method === undefined && !profile) {
    problems.push(error(place.key, "`method` is missing; only `mcp.allow_all_known_mcp_methods` can stand for it"));
  }
  // A wildcard over all methods would take in those that a later version of MCP adds.
  if (matcher.method?.includes("*") && !matcher.method.startsWith("tools/")) {
    problems.push(error(methodKey, "may hold a wildcard only as `tools/*`"));
  }
  if (matcher.tool !== undefined && matcher.method !== "tools/call" && !(matcher.method === undefined && profile)) {
    problems.push(error([...place.key, "tool"], "is only for `method: tools/call`"));
  }
  // Names that are not held to an alphabet can be made to fit a glob: `read_x/../delete`.
  if (matcher.tool?.some((glob) => /[*?[]/.test(glob)) && !place.endpoint.mcp.strictToolNames) {
    problems.push(error([...place.key, "tool"], "may hold a wildcard only with `mcp.strict_tool_names`"));
  }
  return problems;
}

function lintGlobs(matcher: RequestMatcher, place: MatcherPlace): Problem[] {
  const problems: Problem[] = [];
  const globs = [matcher.path ?? "", matcher.operationName ?? "", ...(matcher.fields ?? []), ...(matcher.tool ?? [])];
  const queries = Array.from(matcher.query?.values() ?? []).flat();
  if ([...globs, ...queries].some((glob) => glob.length > longestGlob)) {
    problems.push(error(place.key, `holds a glob of more than ${longestGlob} characters`));
  }
  if (matcher.path === undefined) return problems;
  const why = pathGlobProblem(matcher.path) ?? encodedSlashProblem(matcher.path, place);
  if (why !== undefined) problems.push(error([...place.key, "path"], `can never match: ${why}`));
  return problems;
}

function encodedSlashProblem(path: string, place: MatcherPlace): string | undefined {
  if (!/%2f/i.test(path) || place.endpoint.allowEncodedSlash) return undefined;
  return "a path with %2F is refused unless the endpoint has `allow_encoded_slash: true`";
}

function error(key: KeyPath, message: string): Problem {
  return { severity: "error", key, message };
}
