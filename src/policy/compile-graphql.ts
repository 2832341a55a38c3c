/**
 * An endpoint with `protocol: graphql`: rules about operations. What an operation is called its author decides, and may
 * call it as an allowed one; what it does, its type and its root fields say.
 */
import type { CompiledEndpoint } from "./compile-endpoint.ts";
import { compileGlob } from "./match/glob.ts";
import type { AccessPreset, Endpoint, GraphqlOperation, RequestMatcher } from "./policy.ts";
import type { GraphqlRequest, RequestFacts } from "./verdict.ts";
import { websocketText } from "./websocket-text.ts";

type OperationTest = (operation: GraphqlOperation) => boolean;

/** Operations that a preset allows. */
const presetTypes: Readonly<Record<AccessPreset, readonly string[]>> = {
  "read-only": ["query"],
  "read-write": ["query", "mutation"],
  full: ["query", "mutation", "subscription"],
};

/** Methods by which operations come over HTTP. */
const operationMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST"]);

/** Takes an endpoint that passed lint.ts. */
export function compileGraphql(endpoint: Endpoint): Pick<CompiledEndpoint, "needs" | "allows" | "denies"> {
  const { access, rules = [], denyRules, graphql } = endpoint;
  const operations = compileOperations({ allow: rules, deny: denyRules, ...(access && { access }) }, graphql);
  // With nothing denied, what is asked for does not matter; uploads, which can't be read, pass here and nowhere else.
  const isOpen = access === "full" && denyRules.length === 0;
  const need = { language: "graphql", maxBytes: graphql.maxBodyBytes } as const;
  return {
    needs: (request) => (isOpen || request.graphql !== undefined || !holdsOperation(request) ? undefined : need),
    allows: (request) => {
      // A WebSocket asks for nothing by itself; its messages do.
      if (isOpen || isUpgrade(request)) return true;
      // A browser's question whether it may ask.
      if (request.method === "OPTIONS") return access !== undefined;
      const isMessage = request.upgrade !== undefined;
      return (isMessage || request.graphql?.length !== 0) && operations.allow(request.graphql);
    },
    denies: ({ graphql: requests }) => operations.deny(requests),
  };
}

export interface OperationTests {
  /** Whether all are allowed. A message of a sub-protocol that asks for nothing is no operation, and passes. */
  allow(requests: readonly GraphqlRequest[] | undefined): boolean;
  deny(requests: readonly GraphqlRequest[] | undefined): boolean;
}

export interface OperationRules {
  readonly access?: AccessPreset;
  readonly allow: readonly RequestMatcher[];
  readonly deny: readonly RequestMatcher[];
}

/** Rules about operations, and the ids that the policy knows operations by. */
export function compileOperations(rules: OperationRules, known: Endpoint["graphql"]): OperationTests {
  const types = rules.access && presetTypes[rules.access];
  const allowed: OperationTest =
    types === undefined
      ? anyOf(rules.allow.map((rule) => compileRule(rule, "allow")))
      : ({ operationType }) => types.includes(operationType);
  const denied = anyOf(rules.deny.map((rule) => compileRule(rule, "deny")));
  const passes = (test: OperationTest) => (request: GraphqlRequest) => {
    const operation = resolved(request, known);
    return operation !== undefined && test(operation);
  };
  return {
    allow: (requests) => requests?.every(passes(allowed)) ?? false,
    deny: (requests) => requests?.some(passes(denied)) ?? false,
  };
}

function isUpgrade({ method, upgrade }: RequestFacts): boolean {
  return upgrade !== undefined && method === "GET";
}

function holdsOperation({ method, upgrade }: RequestFacts): boolean {
  return upgrade === undefined ? operationMethods.has(method) : method === websocketText;
}

/** The operation behind an id, if the policy knows it; what the server has under another id can't be known. */
function resolved(request: GraphqlRequest, options: Endpoint["graphql"]): GraphqlOperation | undefined {
  if (!("persisted" in request)) return request;
  return options.persistedQueries === "allow_registered" ? options.registered.get(request.persisted) : undefined;
}

/** To allow, every root field must match; to deny, one is enough. */
function compileRule(rule: RequestMatcher, purpose: "allow" | "deny"): OperationTest {
  const type = rule.operationType === "*" ? undefined : rule.operationType;
  const name = rule.operationName === undefined ? undefined : compileGlob(rule.operationName, { classes: true });
  const globs = rule.fields?.map((glob) => compileGlob(glob, { classes: true }));
  const fieldMatches = (field: string) => globs?.some((matches) => matches(field)) ?? true;
  return ({ operationType, operationName, fields }) =>
    (type === undefined || type === operationType) &&
    (name === undefined || name(operationName)) &&
    (globs === undefined || (purpose === "allow" ? fields.every(fieldMatches) : fields.some(fieldMatches)));
}

function anyOf(tests: readonly OperationTest[]): OperationTest {
  return (operation) => tests.some((test) => test(operation));
}
