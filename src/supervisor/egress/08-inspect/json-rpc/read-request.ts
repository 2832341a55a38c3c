/**
 * JSON-RPC 2.0 over HTTP, and MCP, which is made of it: which calls does a request make?
 * Takes  a whole request on an endpoint with `protocol: json-rpc` or `mcp`.
 * Gives  every message of the batch: a call or notification with its method, or a response to the server.
 * Refuses inspect.invalid_json_rpc, and inspect.ambiguous where servers would make different calls.
 * Assumes the body is in no content coding.
 */
import { isJsonObject, type JsonObject, parseStrictJson, type StrictJson } from "../../../../net/strict-json.ts";
import type { RpcMessage } from "../../../../policy/verdict.ts";
import { type ContentResult, mediaType, type Unreadable, type WholeRequest } from "../content.ts";
import { given, misspelledKey } from "../json-envelope.ts";

/** Messages in one batch; MCP's newer revisions have no batches at all. */
const largestBatch = 100;

const messageKeys = ["jsonrpc", "method", "params", "id", "result", "error"] as const;

/** Reads all messages of a request. */
export function readRpcRequest(request: WholeRequest): ContentResult {
  if (request.facts.method !== "POST") {
    // MCP's GET and DELETE have no body; a server that reads one all the same could find a call in it.
    return request.body.length === 0 ? { ok: true, facts: { rpc: [] } } : ambiguous("a body that is not posted");
  }
  if (mediaType(request.fieldValues) !== "application/json")
    return invalid("contents not in application/json, in UTF-8");
  const parsed = parseStrictJson(request.body);
  if (!parsed.ok) return invalid(parsed.detail);
  const items = Array.isArray(parsed.value) ? parsed.value : [parsed.value];
  if (items.length === 0) return invalid("an empty batch");
  if (items.length > largestBatch) return invalid(`a batch of more than ${largestBatch}`);
  const messages: RpcMessage[] = [];
  for (const item of items) {
    const message = readMessage(item);
    if ("ok" in message) return message;
    messages.push(message);
  }
  return disagreement(request, items) ?? { ok: true, facts: { rpc: messages } };
}

function readMessage(item: StrictJson): RpcMessage | Unreadable {
  if (!isJsonObject(item)) return invalid("a message that is no JSON object");
  if (misspelledKey(item, messageKeys) !== undefined) return ambiguous("a key in another spelling than JSON-RPC's");
  if (item.get("jsonrpc") !== "2.0") return invalid('a message without `"jsonrpc": "2.0"`');
  if (!isId(item.get("id"))) return invalid("an id that is neither a string nor a number");
  const method = item.get("method");
  const isResponse = item.has("result") || item.has("error");
  if (method === undefined) return isResponse ? { kind: "response" } : invalid("a message without a method");
  if (isResponse) return ambiguous("a message that is a call and a response");
  if (typeof method !== "string" || !isName(method)) return invalid("a method that is no printable text");
  return readCall(item, method);
}

function readCall(call: JsonObject, method: string): RpcMessage | Unreadable {
  const params = given(call, "params");
  if (params !== undefined && typeof params !== "object") return invalid("params that are neither object nor array");
  if (method !== "tools/call" || !isJsonObject(params)) return { kind: "call", method };
  if (misspelledKey(params, ["name"]) !== undefined) return ambiguous("a key in another spelling than `name`");
  const tool = params.get("name");
  if (tool === undefined) return { kind: "call", method };
  return typeof tool === "string" && isName(tool)
    ? { kind: "call", method, tool }
    : invalid("a tool's name that is no printable text");
}

/** JSON-RPC 2.0 section 4: a string, a number or null; a notification has none. */
function isId(id: StrictJson | undefined): boolean {
  return id === undefined || id === null || typeof id === "string" || typeof id === "number";
}

/** A server that is written in C could end a name at a NUL, and a log could be steered by other control characters. */
function isName(text: string): boolean {
  return text !== "" && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text);
}

/**
 * MCP's newer revisions repeat method and name in the header, for intermediaries to route by. One that does must not be
 * told another call than the server reads in the body.
 */
function disagreement(request: WholeRequest, items: readonly StrictJson[]): Unreadable | undefined {
  const methods = request.fieldValues("mcp-method");
  const names = request.fieldValues("mcp-name");
  if (methods.length === 0 && names.length === 0) return undefined;
  const [message] = items;
  if (items.length > 1 || !isJsonObject(message)) return ambiguous("an Mcp- field that speaks for a batch");
  const params = given(message, "params");
  const name = isJsonObject(params) ? (params.get("name") ?? params.get("uri")) : undefined;
  const agrees =
    methods.every((method) => method === message.get("method")) &&
    names.every((text) => name !== undefined && decoded(text) === name);
  return agrees ? undefined : ambiguous("an Mcp-Method or Mcp-Name field that the body contradicts");
}

/** A name that a header field can't carry as it is, is carried as `=?base64?…?=`; undefined if that has another spelling. */
function decoded(text: string): string | undefined {
  const encoded = /^=\?base64\?(.*)\?=$/.exec(text)?.[1];
  if (encoded === undefined) return text;
  const name = Buffer.from(encoded, "base64").toString("utf8");
  return Buffer.from(name).toString("base64") === encoded ? name : undefined;
}

function invalid(detail: string): Unreadable {
  return { ok: false, reason: "inspect.invalid_json_rpc", detail: `not JSON-RPC that can be judged: ${detail}` };
}

function ambiguous(detail: string): Unreadable {
  return { ok: false, reason: "inspect.ambiguous", detail };
}
