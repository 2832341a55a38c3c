/** The decision about contents as the page says it, for the reference evaluator. */
import { knownMcpMethods } from "../mcp-methods.ts";
import type { Endpoint, GraphqlOperation, RequestMatcher } from "../policy.ts";
import type { GraphqlRequest, RpcMessage } from "../verdict.ts";
import type { Contents } from "./arbitrary-contents.ts";
import { glob } from "./reference-glob.ts";

export type Ruling = "allow" | "deny rule" | "no rule";

/** What an endpoint with `protocol: graphql`, `json-rpc` or `mcp` says on its own. */
export function contentsRuling(endpoint: Endpoint, method: string, contents: Contents): Ruling {
  if (endpoint.protocol === "graphql") return graphqlRuling(endpoint, method, contents);
  // MCP's stream and the end of its session are requests without a body.
  if (endpoint.protocol === "mcp" && (method === "GET" || method === "DELETE")) return "allow";
  if (method !== "POST" || contents.rpc === undefined) return "no rule";
  const isMcp = endpoint.protocol === "mcp";
  const denied = (message: RpcMessage) => endpoint.denyRules.some((rule) => callMatches(rule, message, isMcp));
  if (contents.rpc.some(denied)) return "deny rule";
  return contents.rpc.every((message) => (isMcp ? mcpAllows : rpcAllows)(endpoint, message)) ? "allow" : "no rule";
}

function graphqlRuling(endpoint: Endpoint, method: string, { graphql }: Contents): Ruling {
  if (endpoint.access === "full" && endpoint.denyRules.length === 0) return "allow";
  if (method === "OPTIONS") return endpoint.access === undefined ? "no rule" : "allow";
  if (!["GET", "HEAD", "POST"].includes(method) || graphql === undefined) return "no rule";
  const operations = graphql.map((request) => registered(endpoint, request));
  const known = operations.filter((operation) => operation !== undefined);
  if (known.some((operation) => endpoint.denyRules.some((rule) => operationMatches(rule, operation, "some")))) {
    return "deny rule";
  }
  return known.length === operations.length && known.every((operation) => operationAllowed(endpoint, operation))
    ? "allow"
    : "no rule";
}

function registered({ graphql }: Endpoint, request: GraphqlRequest): GraphqlOperation | undefined {
  if (!("persisted" in request)) return request;
  return graphql.persistedQueries === "allow_registered" ? graphql.registered.get(request.persisted) : undefined;
}

function operationAllowed({ access, rules = [] }: Endpoint, operation: GraphqlOperation): boolean {
  if (access === "full") return true;
  if (access === "read-only") return operation.operationType === "query";
  if (access === "read-write") return ["query", "mutation"].includes(operation.operationType);
  return rules.some((rule) => operationMatches(rule, operation, "every"));
}

function operationMatches(rule: RequestMatcher, operation: GraphqlOperation, quantifier: "some" | "every"): boolean {
  const typeFits = rule.operationType === "*" || rule.operationType === operation.operationType;
  const nameFits = glob(rule.operationName ?? "**", "[^]*").test(operation.operationName);
  const fields = rule.fields ?? ["**"];
  const fieldFits = (field: string) => fields.some((pattern) => glob(pattern, "[^]*").test(field));
  return typeFits && nameFits && operation.fields[quantifier](fieldFits);
}

function rpcAllows({ rules = [] }: Endpoint, message: RpcMessage): boolean {
  return message.kind === "call" && rules.some(({ method }) => method === "*" || method === message.method);
}

function mcpAllows({ rules = [], mcp }: Endpoint, message: RpcMessage): boolean {
  if (message.kind === "response") return true;
  if (message.method === "tools/call" && !/^[A-Za-z0-9_.-]{1,128}$/.test(message.tool ?? "")) return false;
  if (rules.some((rule) => callMatches(rule, message, true))) return true;
  if (!mcp.allowAllKnownMethods || !knownMcpMethods.has(message.method)) return false;
  return message.method !== "tools/call" || rules.every(({ tool }) => tool === undefined);
}

function callMatches(rule: RequestMatcher, message: RpcMessage, isMcp: boolean): boolean {
  if (message.kind === "response") return false;
  if (!isMcp) return rule.method === "*" || rule.method === message.method;
  const { tool } = message;
  if (rule.tool !== undefined) {
    return tool !== undefined && rule.tool.some((pattern) => glob(pattern, "[^]*").test(tool));
  }
  return rule.method === undefined
    ? knownMcpMethods.has(message.method)
    : glob(rule.method, "[^]*").test(message.method);
}
