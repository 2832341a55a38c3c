import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readRpcRequest } from "./read-request.ts";

interface Sent {
  readonly method?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly body: string;
}

function read({ method = "POST", fields = {}, body }: Sent) {
  const all: Record<string, string> = { "content-type": "application/json", ...fields };
  return readRpcRequest({
    facts: { method, path: "/mcp", query: [], hasEncodedSlash: false },
    fieldValues: (lower) => (all[lower] === undefined ? [] : [all[lower]]),
    body: Buffer.from(body),
  });
}

/** The calls of a request in short, or the reason why they are open. */
function asked(sent: Sent): readonly string[] | string {
  const result = read(sent);
  if (!result.ok) return result.reason;
  return (result.facts.rpc ?? []).map((one) => (one.kind === "call" ? `${one.method} ${one.tool ?? "-"}` : one.kind));
}

function call(message: object, fields: Sent["fields"] = {}): Sent {
  return { body: JSON.stringify({ jsonrpc: "2.0", ...message }), fields };
}

const toolCall = { id: 1, method: "tools/call", params: { name: "echo", arguments: { name: "not this" } } };

describe("a JSON-RPC request", () => {
  it("is a call, a notification, or a response", () => {
    assert.deepEqual(asked(call({ id: 1, method: "sum", params: [1, 2] })), ["sum -"]);
    assert.deepEqual(asked(call({ method: "notifications/initialized" })), ["notifications/initialized -"]);
    assert.deepEqual(asked(call({ id: "a", result: {} })), ["response"]);
    assert.deepEqual(asked(call({ id: null, error: { code: 1, message: "" } })), ["response"]);
  });

  it("is several in a batch", () => {
    const body = '[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","id":1,"method":"b"}]';
    assert.deepEqual(asked({ body }), ["a -", "b -"]);
  });

  it("names its tool where it calls one", () => {
    assert.deepEqual(asked(call(toolCall)), ["tools/call echo"]);
  });

  it("of MCP opens a stream or ends a session without a body", () => {
    assert.deepEqual(asked({ method: "GET", body: "" }), []);
    assert.deepEqual(asked({ method: "DELETE", body: "" }), []);
    assert.equal(asked({ method: "GET", body: "{}" }), "inspect.ambiguous");
  });

  it("of MCP may repeat method and name in its header, if they are the same", () => {
    assert.deepEqual(asked(call(toolCall, { "mcp-method": "tools/call", "mcp-name": "echo" })), ["tools/call echo"]);
    assert.deepEqual(asked(call(toolCall, { "mcp-name": "=?base64?ZWNobw==?=" })), ["tools/call echo"]);
    assert.equal(asked(call(toolCall, { "mcp-method": "ping" })), "inspect.ambiguous");
    assert.equal(asked(call(toolCall, { "mcp-name": "add" })), "inspect.ambiguous");
    assert.equal(asked(call({ method: "ping" }, { "mcp-name": "=?base64?ZX==?=" })), "inspect.ambiguous");
  });

  it("is read or refused, whatever it holds", () => {
    const key = fc.constantFrom("jsonrpc", "method", "params", "id", "result", "name", "Method");
    const value = fc.oneof(fc.constantFrom("2.0", "tools/call", "a", null, 1), fc.dictionary(key, fc.jsonValue()));
    const message = fc.dictionary(key, value);
    fc.assert(
      fc.property(fc.oneof(message, fc.array(message), fc.jsonValue()), (sent) => {
        const result = read({ body: JSON.stringify(sent) });
        assert.ok(!result.ok || (result.facts.rpc ?? []).length > 0);
      }),
    );
  });

  for (const [what, sent] of [
    ["no version", { body: '{"id": 1, "method": "a"}' }],
    ["another version", call({ jsonrpc: "1.0", method: "a" })],
    ["an empty batch", { body: "[]" }],
    ["a batch in a batch", { body: '[[{"jsonrpc":"2.0","method":"a"}]]' }],
    ["two methods", { body: '{"jsonrpc": "2.0", "method": "ping", "method": "tools/call"}' }],
    ["an id that is an object", call({ id: {}, method: "a" })],
    ["a method that is no text", call({ method: ["a"] })],
    ["a method with a NUL", call({ method: "ping\u0000" })],
    ["a tool that is no text", call({ method: "tools/call", params: { name: { toString: 1 } } })],
    ["neither a method nor a result", call({ id: 1 })],
    ["params that are text", call({ method: "a", params: "b" })],
    ["another type of contents", { ...call({ method: "a" }), fields: { "content-type": "text/plain" } }],
    ["nothing", { body: "" }],
  ] as const) {
    it(`is refused with ${what}`, () => assert.equal(asked(sent), "inspect.invalid_json_rpc"));
  }

  for (const [what, message] of [
    ["a method that Go reads as `method`", { method: "ping", METHOD: "tools/call" }],
    ["a tool that Go reads as `name`", { method: "tools/call", params: { name: "echo", Name: "delete" } }],
    ["a call that is a response as well", { id: 1, method: "ping", result: {} }],
  ] as const) {
    it(`is ambiguous with ${what}`, () => assert.equal(asked(call(message)), "inspect.ambiguous"));
  }
});
