/**
 * An endpoint with `protocol: graphql`: rules about operations. What an operation is called its author decides, and may
 * call it as an allowed one; what it does, its type and its root fields say.
 */
import type { CompiledEndpoint } from "./compile-endpoint.ts";
import { compileGlob } from "./match/glob.ts";
import type { AccessPreset, Endpoint, GraphqlOperation, RequestMatcher } from "./policy.ts";
import type { GraphqlRequest, RequestFacts } from "./verdict.ts";

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
  const types = access && presetTypes[access];
  const allowed: OperationTest =
    types === undefined
      ? anyOf(rules.map((rule) => compileRule(rule, "allow")))
      : ({ operationType }) => types.includes(operationType);
  const denied = anyOf(denyRules.map((rule) => compileRule(rule, "deny")));
  const resolve = (request: GraphqlRequest) => resolved(request, graphql);
  // With nothing denied, what is asked for does not matter; uploads, which can't be read, pass here and nowhere else.
  const isOpen = access === "full" && denyRules.length === 0;
  const need = { language: "graphql", maxBytes: graphql.maxBodyBytes } as const;
  return {
    needs: (request) => (isOpen || request.graphql !== undefined || !holdsOperation(request) ? undefined : need),
    allows: (request) => {
      if (request.upgrade !== undefined) return false;
      if (isOpen) return true;
      // A browser's question whether it may ask.
      if (request.method === "OPTIONS") return access !== undefined;
      const operations = request.graphql?.map(resolve) ?? [];
      return operations.length > 0 && operations.every((operation) => operation !== undefined && allowed(operation));
    },
    denies: ({ graphql: requests = [] }) =>
      requests.map(resolve).some((operation) => operation !== undefined && denied(operation)),
  };
}

function holdsOperation({ method, upgrade }: RequestFacts): boolean {
  return operationMethods.has(method) && upgrade === undefined;
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
