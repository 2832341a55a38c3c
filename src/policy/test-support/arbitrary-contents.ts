/** Random endpoints whose rules speak of contents, and random contents, from so few words that they often meet. */
import fc from "fast-check";
import type { Json } from "../tree.ts";
import type { GraphqlRequest, RpcMessage } from "../verdict.ts";

/** What a request's contents would be read as; absent: they have no meaning in that language. */
export interface Contents {
  readonly graphql?: readonly GraphqlRequest[];
  readonly rpc?: readonly RpcMessage[];
}

type Fields = Record<string, fc.Arbitrary<unknown>>;

function some<T>(item: fc.Arbitrary<T>, maxLength = 2): fc.Arbitrary<T[]> {
  return fc.array(item, { minLength: 1, maxLength });
}

function optional(fields: Fields, requiredKeys: string[]): fc.Arbitrary<Json> {
  return fc.record(fields, { requiredKeys, noNullPrototype: true }) as fc.Arbitrary<Json>;
}

const allowing = (matcher: fc.Arbitrary<unknown>) => some(matcher.map((allow) => ({ allow })));

const operationMatcher = optional(
  {
    operation_type: fc.constantFrom("query", "mutation", "*"),
    operation_name: fc.constantFrom("Read*", "Write", "*"),
    fields: some(fc.constantFrom("user", "add*", "a?dOne", "*")),
  },
  ["operation_type"],
);
const persisted = {
  persisted_queries: fc.constant("allow_registered"),
  graphql_persisted_queries: fc.constant({ known: { operation_type: "mutation", fields: ["addOne"] } }),
};

const methodMatcher = fc.constantFrom("sum", "delete", "*").map((method) => ({ method }));

const callMatcher = fc.oneof(
  fc.constantFrom("tools/list", "tools/*", "ping", "tools/call").map((method) => ({ method })),
  fc.constantFrom("echo", "e*", { any: ["add", "[ae]*"] }).map((tool) => ({ method: "tools/call", tool })),
);
const toolMatcher = fc.constantFrom({}, { tool: "echo" }, { tool: "a*" });

/** Endpoints with a host, ports and so on as given. */
export function endpointsOfContents(destination: Fields): fc.Arbitrary<Json> {
  const common = { ...destination, path: fc.constantFrom("/a/**", "/a/b") };
  const graphql = { ...common, protocol: fc.constant("graphql"), deny_rules: some(operationMatcher) };
  const rpc = { ...common, protocol: fc.constant("json-rpc"), deny_rules: some(methodMatcher) };
  const mcp = { ...common, protocol: fc.constant("mcp"), deny_rules: some(callMatcher) };
  const known = { mcp: fc.constant({ allow_all_known_mcp_methods: true }) };
  const needed = ["host", "ports", "protocol"];
  return fc.oneof(
    optional({ ...graphql, access: fc.constantFrom("read-only", "read-write", "full") }, [...needed, "access"]),
    optional({ ...graphql, ...persisted, rules: allowing(operationMatcher) }, [
      ...needed,
      ...Object.keys(persisted),
      "rules",
    ]),
    optional({ ...rpc, rules: allowing(methodMatcher) }, [...needed, "rules"]),
    optional({ ...mcp, rules: allowing(callMatcher) }, [...needed, "rules"]),
    optional({ ...mcp, ...known, rules: allowing(toolMatcher) }, [...needed, "mcp"]),
  );
}

const operation: fc.Arbitrary<GraphqlRequest> = fc.oneof(
  fc.record({
    operationType: fc.constantFrom("query", "mutation", "subscription"),
    operationName: fc.constantFrom("", "ReadUser", "Write"),
    fields: some(fc.constantFrom("user", "addOne", "addTwo", "__typename")),
  }),
  fc.constantFrom("known", "unknown").map((id) => ({ persisted: id })),
);

const message: fc.Arbitrary<RpcMessage> = fc.oneof(
  fc.constantFrom("sum", "delete", "ping", "tools/list", "tools/call", "unheard/of").map((method) => {
    return { kind: "call" as const, method };
  }),
  fc.constantFrom("echo", "add", "e/../add").map((tool) => ({ kind: "call" as const, method: "tools/call", tool })),
  fc.constant({ kind: "response" as const }),
);

export const arbitraryContents = fc.record(
  { graphql: some(operation), rpc: some(message) },
  { requiredKeys: [] },
) as fc.Arbitrary<Contents>;
