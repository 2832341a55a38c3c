import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readCallBody } from "./call-body.ts";
import type { Dialect } from "./dialects.ts";
import { lacksThreads } from "./message-threads.ts";
import { modelRoutesFromJson } from "./routes.ts";

function lacks(providerType: string, dialects: readonly Dialect[], thread?: object | null): boolean {
  const [route] = modelRoutesFromJson({
    routes: [{ name: "r", model: "claude", providerType, baseUrl: "https://x", dialects: [...dialects] }],
  }).routes;
  const read = readCallBody(Buffer.from(JSON.stringify({ messages: [], thread })));
  assert.ok(route && read.ok);
  const call = { dialect: "anthropic_messages", operation: "/messages", header: () => undefined, query: [] } as const;
  return lacksThreads({ ...call, body: read.body }, route);
}

describe("a thread of messages", () => {
  it("is kept by Anthropic's own API, and by nobody else", () => {
    const thread = { type: "create" };
    assert.equal(lacks("anthropic", ["anthropic_messages"], thread), false);
    assert.equal(lacks("aws-bedrock", ["aws_bedrock_invoke", "anthropic_messages"], thread), true);
    assert.equal(lacks("google-vertex-ai", ["anthropic_messages"], thread), true);
    assert.equal(lacks("openai", ["openai_chat_completions"], thread), true);
  });

  it("is not lacked where none is asked for", () => {
    assert.equal(lacks("openai", ["openai_chat_completions"]), false);
    assert.equal(lacks("aws-bedrock", ["anthropic_messages"], null), false);
  });
});
