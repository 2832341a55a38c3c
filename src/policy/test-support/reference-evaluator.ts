/**
 * The decision as the page says it, WebSockets apart, without an index, without compiled matchers and without thought
 * for cost. What the engine answers must be this.
 */
import type { Endpoint, Policy, RequestMatcher } from "../policy.ts";
import type { Caller, Destination, RequestFacts } from "../verdict.ts";
import type { Contents } from "./arbitrary-contents.ts";
import { contentsRuling } from "./reference-contents.ts";
import { glob } from "./reference-glob.ts";

export type Answer = "allow" | "deny";

interface Pair {
  readonly rule: string;
  readonly endpoint: Endpoint;
}

function matchingPairs(policy: Policy, destination: Destination, caller: Caller): Pair[] {
  const pairs: Pair[] = [];
  for (const rule of policy.networkPolicies.values()) {
    const programs = [caller.path, ...caller.ancestors];
    const binaryMatches = rule.binaries.some(
      (binary) => binary === "any" || programs.some((program) => glob(binary, "[^/]*").test(program)),
    );
    for (const endpoint of rule.endpoints) {
      const hostMatches = endpoint.host === undefined || glob(endpoint.host, "[^.]*").test(destination.host);
      if (binaryMatches && hostMatches && endpoint.ports.includes(destination.port)) {
        pairs.push({ rule: rule.name, endpoint });
      }
    }
  }
  return pairs;
}

/** Layer 4. */
export function referenceConnect(policy: Policy, destination: Destination, caller: Caller): Answer {
  const pairs = matchingPairs(policy, destination, caller);
  const shut = pairs.some(({ endpoint }) =>
    endpoint.denyRules.some(
      (rule) =>
        rule.method === "*" &&
        (rule.path === "**" || endpoint.protocol === "json-rpc") &&
        rule.query === undefined &&
        endpoint.path === "" &&
        endpoint.enforcement === "enforce",
    ),
  );
  return pairs.length > 0 && !shut ? "allow" : "deny";
}

/** Layer 7, for a connection that layer 4 allows. */
export function referenceRequest(
  policy: Policy,
  question: { destination: Destination; caller: Caller; request: RequestFacts; contents: Contents },
): Answer {
  const { destination, caller, request, contents } = question;
  const matching = matchingPairs(policy, destination, caller).map(({ endpoint }) => endpoint);
  const selected = matching.filter(({ path }) => path === "" || pathMatches(path, request.path));
  const concerned = matching.filter(({ path }) => path === "" || anyReadingMatches(path, request.path));
  for (const { protocol, denyRules } of concerned) {
    for (const rule of protocol === "rest" ? denyRules : []) {
      const here = anyReadingMatches(rule.path ?? "**", request.path);
      if (here && methodMatches(rule, request) && queryMatches(rule, request, "some")) return "deny";
    }
  }
  const readsContents = ({ protocol }: Endpoint) => ["graphql", "json-rpc", "mcp"].includes(protocol ?? "");
  // One that an origin may take this for is asked, but can't allow what is not quite its path.
  if (concerned.some(readsContents)) return referenceContents(selected.filter(readsContents), request, contents);
  return selected.filter(({ protocol }) => protocol === "rest").some((endpoint) => allowsRequest(endpoint, request))
    ? "allow"
    : "deny";
}

/** Where an endpoint reads contents, no other kind can allow, and what it can't read is denied. */
function referenceContents(reading: readonly Endpoint[], request: RequestFacts, contents: Contents): Answer {
  const { method } = request;
  if (reading.some((endpoint) => needs(endpoint, method).some((language) => contents[language] === undefined))) {
    return "deny";
  }
  const rulings = reading.map((endpoint) => {
    const ruling = contentsRuling(endpoint, method, contents);
    return ruling === "allow" && request.hasEncodedSlash && !endpoint.allowEncodedSlash ? "no rule" : ruling;
  });
  return rulings.includes("allow") && !rulings.includes("deny rule") ? "allow" : "deny";
}

function needs({ protocol, access, denyRules }: Endpoint, method: string): ("graphql" | "rpc")[] {
  if (protocol !== "graphql") return method === "POST" ? ["rpc"] : [];
  const isOpen = access === "full" && denyRules.length === 0;
  return !isOpen && ["GET", "HEAD", "POST"].includes(method) ? ["graphql"] : [];
}

function allowsRequest(endpoint: Endpoint, request: RequestFacts): boolean {
  if (request.hasEncodedSlash && !endpoint.allowEncodedSlash) return false;
  if (endpoint.access === "full") return true;
  if (endpoint.access === "read-only") return ["GET", "HEAD", "OPTIONS"].includes(request.method);
  if (endpoint.access === "read-write")
    return ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH"].includes(request.method);
  return (endpoint.rules ?? []).some(
    (rule) =>
      pathMatches(rule.path ?? "**", request.path) &&
      methodMatches(rule, request) &&
      queryMatches(rule, request, "every"),
  );
}

/** Whether an origin could take the path for one that matches: by its case, `%2F`, parameters, or a slash at the end. */
function anyReadingMatches(pattern: string, path: string): boolean {
  const spellings = [path, path.replaceAll("%2F", "/")].flatMap((spelling) => [
    spelling,
    spelling
      .split("/")
      .map((segment) => segment.split(";")[0])
      .join("/"),
  ]);
  const isOpen = pattern.endsWith("*");
  const ends =
    isOpen || pattern === "/" ? [pattern] : [pattern, pattern.replace(/\/?$/, (end) => (end === "" ? "/" : ""))];
  return spellings.some((spelling) =>
    ends.some((end) => glob(end.replaceAll("é b", "%C3%A9%20b"), "[^]*", "iu").test(spelling)),
  );
}

function pathMatches(pattern: string, path: string): boolean {
  return glob(pattern.replaceAll("é b", "%C3%A9%20b"), "[^]*").test(path);
}

function methodMatches(rule: RequestMatcher, request: RequestFacts): boolean {
  const asked = request.method === "HEAD" ? ["HEAD", "GET"] : [request.method];
  return rule.method === "*" || asked.includes(rule.method ?? "*");
}

function queryMatches(rule: RequestMatcher, request: RequestFacts, quantifier: "every" | "some"): boolean {
  for (const [name, globs] of rule.query ?? []) {
    const isThere = request.query.some(([key]) => key === name);
    // As servers read names that take no notice of case, and put lists into parameters.
    const values = request.query
      .filter(([key]) => key.toLowerCase().replace("[]", "") === name)
      .map(([, value]) => value);
    const fits = (value: string) => globs.some((pattern) => glob(pattern, "[^]*").test(value));
    if ((quantifier === "every" && !isThere) || !values[quantifier](fits)) return false;
  }
  return true;
}
