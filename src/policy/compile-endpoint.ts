/**
 * One inspected endpoint, made ready to decide requests with. It answers for itself only; how the answers of several
 * endpoints combine is the business of evaluate-request.ts.
 */
import { compileGraphql, compileOperations } from "./compile-graphql.ts";
import { compileJsonRpc, compileMcp } from "./compile-rpc.ts";
import type { TextMatcher } from "./match/glob.ts";
import { compilePath, compileWidePath, isEveryPath } from "./match/path.ts";
import { compileQuery } from "./match/query.ts";
import type { AccessPreset, Endpoint, EndpointProtocol, RequestMatcher } from "./policy.ts";
import type { ContentNeed, RequestFacts } from "./verdict.ts";
import { websocketText } from "./websocket-text.ts";

export interface CompiledEndpoint {
  /** Whether requests on it are looked at; false for layer 4 and `tcp`. */
  readonly inspected: boolean;
  /**
   * Whether it alone speaks for the paths it selects: a REST rule over the same path must not let through what a
   * body-inspecting endpoint has not understood.
   */
  readonly authoritative: boolean;
  /** Whether `path` selects this endpoint for a request. */
  selects(path: string): boolean;
  /** Whether some origins would take the request's path for one that `path` selects: then it may deny, but not allow. */
  concerns(path: string): boolean;
  /** What it must know of the request's contents before the two below are asked, unless the facts have it already. */
  needs(request: RequestFacts): ContentNeed | undefined;
  allows(request: RequestFacts): boolean;
  denies(request: RequestFacts): boolean;
}

type RequestTest = (request: RequestFacts) => boolean;

/** Methods that a preset allows; `full` allows all. RFC 9110 section 9.2.1 calls the first three safe. */
const presetMethods: Readonly<Record<Exclude<AccessPreset, "full">, ReadonlySet<string>>> = {
  "read-only": new Set(["GET", "HEAD", "OPTIONS"]),
  "read-write": new Set(["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH"]),
};

const never: RequestTest = () => false;
const nothing = (): undefined => undefined;
const always: RequestTest = () => true;

/** Whether requests on endpoints of this protocol are inspected one by one. */
export function isInspected(protocol: EndpointProtocol | undefined): boolean {
  return protocol !== undefined && protocol !== "tcp";
}

/** Takes an endpoint that passed lint.ts; what it can't make sense of it does not allow. */
export function compileEndpoint(endpoint: Endpoint): CompiledEndpoint {
  const selects: TextMatcher = endpoint.path === "" ? () => true : compilePath(endpoint.path);
  const concerns: TextMatcher = endpoint.path === "" ? () => true : compileWidePath(endpoint.path);
  return { inspected: isInspected(endpoint.protocol), selects, concerns, ...compileProtocol(endpoint) };
}

/** Whether a deny rule forbids whatever could be asked. */
export function deniesEverything(endpoint: Endpoint): boolean {
  if (!isInspected(endpoint.protocol) || endpoint.path !== "") return false;
  return endpoint.denyRules.some(
    (rule) => rule.method === "*" && isEveryPath(rule.path ?? "**") && rule.query === undefined && !readsBody(rule),
  );
}

function compileProtocol(endpoint: Endpoint): Pick<CompiledEndpoint, "needs" | "allows" | "denies" | "authoritative"> {
  switch (endpoint.protocol) {
    case undefined:
    case "tcp":
      // A layer-4 endpoint lets bytes pass where nothing is inspected. Once another endpoint of the same destination
      // is inspected, it has nothing to say about single requests: the narrower rule was written for a reason.
      return { needs: nothing, allows: never, denies: never, authoritative: false };
    case "rest":
      return { needs: nothing, allows: restAllows(endpoint), denies: anyDeny(endpoint), authoritative: false };
    case "websocket":
      return { ...websocket(endpoint), authoritative: false };
    case "graphql":
      return { ...compileGraphql(endpoint), authoritative: true };
    case "json-rpc":
      return { ...compileJsonRpc(endpoint), authoritative: true };
    case "mcp":
      return { ...compileMcp(endpoint), authoritative: true };
    default:
      return endpoint.protocol satisfies never;
  }
}

function restAllows(endpoint: Endpoint): RequestTest {
  const allowed = allowedByRulesOrPreset(endpoint);
  // An upgrade leaves HTTP, and with it everything that this endpoint could inspect.
  return (request) => request.upgrade === undefined && allowed(request);
}

function allowedByRulesOrPreset(endpoint: Endpoint): RequestTest {
  if (endpoint.access === "full") return always;
  if (endpoint.access !== undefined) {
    const methods = presetMethods[endpoint.access];
    return (request) => methods.has(request.method);
  }
  return anyOf((endpoint.rules ?? []).map((rule) => compileMatcher(rule, "allow")));
}

/**
 * A WebSocket endpoint decides the upgrade, and each message of the client on its own; an upgrade alone lets the client
 * listen. Rules about operations speak of messages only, which are read where such a rule could make a difference. Plain
 * requests are not its business.
 */
function websocket(endpoint: Endpoint): Pick<CompiledEndpoint, "needs" | "allows" | "denies"> {
  const { access, denyRules, graphql } = endpoint;
  const [operationRules, rules] = split(endpoint.rules ?? []);
  const [operationDenies, denies] = split(denyRules);
  const unread =
    access === undefined ? anyOf(rules.map((rule) => compileMatcher(rule, "allow"))) : websocketPresets[access];
  const denied = anyOf(denies.map((rule) => compileMatcher(rule, "deny")));
  const operations = compileOperations({ allow: operationRules, deny: operationDenies }, graphql);
  const need = { language: "graphql", maxBytes: graphql.maxBodyBytes } as const;
  const isMessage = ({ method, upgrade }: RequestFacts) => upgrade === "websocket" && method === websocketText;
  return {
    needs: (request) => {
      if (!isMessage(request) || request.graphql !== undefined) return undefined;
      return operationDenies.length > 0 || (operationRules.length > 0 && !unread(request)) ? need : undefined;
    },
    allows: (request) => {
      if (request.upgrade !== "websocket") return false;
      return unread(request) || (operationRules.length > 0 && isMessage(request) && operations.allow(request.graphql));
    },
    denies: (request) => denied(request) || operations.deny(request.graphql),
  };
}

/** Rules about operations, and the others. */
function split(rules: readonly RequestMatcher[]): readonly [RequestMatcher[], RequestMatcher[]] {
  return [rules.filter(readsBody), rules.filter((rule) => !readsBody(rule))];
}

const websocketPresets: Readonly<Record<AccessPreset, RequestTest>> = {
  "read-only": (request) => request.method === "GET",
  "read-write": always,
  full: always,
};

/** Whether any deny rule holds, or can't be known not to hold because it speaks about the body. */
function anyDeny(endpoint: Endpoint): RequestTest {
  return anyOf(endpoint.denyRules.map((rule) => compileMatcher(rule, "deny")));
}

function anyOf(tests: readonly RequestTest[]): RequestTest {
  return (request) => tests.some((test) => test(request));
}

/** Whether a rule speaks about the body of a request: a GraphQL operation, a tool. */
function readsBody(rule: RequestMatcher): boolean {
  return (
    rule.operationType !== undefined ||
    rule.operationName !== undefined ||
    rule.fields !== undefined ||
    rule.tool !== undefined
  );
}

/** One rule by method, path and query. A condition on the body holds for `deny` and fails for `allow`. */
function compileMatcher(rule: RequestMatcher, purpose: "allow" | "deny"): RequestTest {
  if (purpose === "allow" && readsBody(rule)) return never;
  const method = compileMethod(rule.method);
  const compile = purpose === "deny" ? compileWidePath : compilePath;
  const path = rule.path === undefined || isEveryPath(rule.path) ? undefined : compile(rule.path);
  const query = rule.query === undefined ? undefined : compileQuery(rule.query, purpose);
  return (request) =>
    method(request.method) &&
    (path === undefined || path(request.path)) &&
    (query === undefined || query(request.query, request.queryHolds));
}

function compileMethod(method: string | undefined): (asked: string) => boolean {
  if (method === undefined || method === "*") return () => true;
  // RFC 9110 section 9.3.2: HEAD is GET without the body.
  if (method === "GET") return (asked) => asked === "GET" || asked === "HEAD";
  return (asked) => asked === method;
}
