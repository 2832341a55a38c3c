/**
 * Policy ↔ the API's message as plain JSON, with the names of the .proto file. Apart from wire.ts, because a client that
 * only sends a policy should not have to load protobuf's descriptors.
 */
import type { Policy } from "./policy.ts";
import type { Json } from "./tree.ts";
import { type JsonObject, writtenForm } from "./written-form.ts";

/** As `fromJson` of openshell.sandbox.v1.SandboxPolicy reads it. */
export function policyToMessageJson(policy: Policy): JsonObject {
  const { filesystem_policy: filesystem = {}, ...others } = writtenForm(policy);
  return mapEndpoints({ ...others, filesystem }, endpointToMessage);
}

/** The message's JSON (with the names of the .proto file) in the shape that policies are written in; not yet checked. */
export function messageJsonToWritten(json: Json): JsonObject {
  return mapEndpoints(json, endpointFromMessage);
}

/** One endpoint as `policyToMessageJson` has it in its rules; not checked. */
export function endpointToMessageJson(written: Json): JsonObject {
  return endpointToMessage(asObject(written));
}

/** One endpoint of a message in the shape that it is written in. */
export function endpointJsonToWritten(json: Json): JsonObject {
  return endpointFromMessage(asObject(json));
}

type Change = (endpoint: JsonObject) => JsonObject;

function mapEndpoints(policy: Json, change: Change): JsonObject {
  const { network_policies: rules, ...others } = asObject(policy);
  if (rules === undefined) return others;
  const changed = Object.entries(asObject(rules)).map(([key, rule]) => [key, mapRule(asObject(rule), change)] as const);
  return { ...others, network_policies: Object.fromEntries(changed) };
}

function mapRule(rule: JsonObject, change: Change): JsonObject {
  return {
    ...rule,
    // A message has no way to tell an empty list from none; both are refused where there must be one.
    endpoints: asList(rule["endpoints"]).map((endpoint) => change(asObject(endpoint))),
    // `harness` marks the agent's own program for the published tools; it is not part of a decision.
    binaries: asList(rule["binaries"]).map((binary) => ({ path: asObject(binary)["path"] ?? "" })),
  };
}

/** The message has one body limit for both kinds of JSON-RPC, and a flag that only providers set. */
function endpointFromMessage(endpoint: JsonObject): JsonObject {
  const { json_rpc_max_body_bytes: limit, provider_credentialed: _, ...others } = endpoint;
  if (limit === undefined) return others;
  const section = others["protocol"] === "mcp" ? "mcp" : "json_rpc";
  return { ...others, [section]: { ...asObject(others[section] ?? {}), max_body_bytes: limit } };
}

function endpointToMessage(endpoint: JsonObject): JsonObject {
  const { json_rpc: jsonRpc, mcp, rules, deny_rules: denyRules, port, ports, ...others } = endpoint;
  const { max_body_bytes: mcpLimit, ...mcpOptions } = asObject(mcp ?? {});
  const limit = endpoint["protocol"] === "mcp" ? mcpLimit : asObject(jsonRpc ?? {})["max_body_bytes"];
  const allPorts = ports === undefined ? [port ?? 0] : asList(ports);
  return {
    ...others,
    // Older peers read `port` alone.
    port: allPorts[0] ?? 0,
    ports: allPorts,
    ...(Object.keys(mcpOptions).length === 0 ? {} : { mcp: mcpOptions }),
    ...(limit === undefined ? {} : { json_rpc_max_body_bytes: limit }),
    rules: asList(rules).map((rule) => ({ allow: matcherToMessage(asObject(rule)["allow"] ?? {}) })),
    deny_rules: asList(denyRules).map(matcherToMessage),
  };
}

/** The tool of an MCP call travels as the parameter that it is; globs travel in a message of their own. */
function matcherToMessage(matcher: Json): JsonObject {
  const { tool, query, ...others } = asObject(matcher);
  const queries = Object.entries(asObject(query ?? {})).map(([name, globs]) => [name, globsToMessage(globs)] as const);
  return {
    ...others,
    ...(queries.length === 0 ? {} : { query: Object.fromEntries(queries) }),
    ...(tool === undefined ? {} : { params: { name: globsToMessage(tool) } }),
  };
}

function globsToMessage(globs: Json): Json {
  return typeof globs === "string" ? { glob: globs } : globs;
}

/** The written form is made by this folder, so anything else in these places is a defect. */
function asObject(json: Json): JsonObject {
  if (json === null || typeof json !== "object" || Array.isArray(json)) throw new TypeError("not a map");
  return json as JsonObject;
}

function asList(json: Json | undefined): readonly Json[] {
  if (json === undefined) return [];
  if (!Array.isArray(json)) throw new TypeError("not a list");
  return json as readonly Json[];
}
