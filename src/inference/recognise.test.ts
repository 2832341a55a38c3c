import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { callersDialect, recognise } from "./recognise.ts";

describe("a request to inference.local", () => {
  for (const [path, dialect, operation] of [
    ["/v1/chat/completions", "openai_chat_completions", "/chat/completions"],
    ["/chat/completions", "openai_chat_completions", "/chat/completions"],
    ["/v1/completions", "openai_completions", "/completions"],
    ["/v1/responses", "openai_responses", "/responses"],
    ["/v1/embeddings", "openai_embeddings", "/embeddings"],
    ["/v1/messages", "anthropic_messages", "/messages"],
    ["/v1/v1/messages", "anthropic_messages", "/messages"],
    ["/v1/messages/count_tokens", "anthropic_messages", "/messages/count_tokens"],
    ["/model/anthropic.claude-v2:1/invoke", "aws_bedrock_invoke", "/invoke"],
    ["/model/m/invoke-with-response-stream", "aws_bedrock_invoke", "/invoke-with-response-stream"],
  ] as const) {
    it(`POST ${path} is a call in ${dialect}`, () => {
      const recognised = recognise("POST", path);
      assert.ok(recognised.kind === "call");
      assert.equal(recognised.dialect, dialect);
      assert.equal(recognised.operation, operation);
      assert.equal(
        callersDialect(path, () => false),
        dialect,
      );
    });
  }

  it("asks for models, whatever slashes a model's name has", () => {
    assert.deepEqual(recognise("GET", "/v1/models"), { kind: "list-models" });
    assert.deepEqual(recognise("GET", "/v1/models/org/m%2Fx"), { kind: "get-model", id: "org/m/x" });
  });

  for (const [method, path] of [
    ["GET", "/v1/chat/completions"],
    ["PUT", "/v1/messages"],
    ["POST", "/v1/chat/completions/"],
    ["POST", "/v1/v1/v1/messages"],
    ["POST", "/v1messages"],
    ["POST", "/v1/files"],
    ["POST", "/v1/responses/compact"],
    ["POST", "/model//invoke"],
    ["POST", "/model/a/b/invoke"],
    ["POST", "/model/a/converse"],
    ["POST", "/model/a/invoke/"],
    ["POST", "/model/a/invoked"],
    ["DELETE", "/v1/models/m"],
    ["HEAD", "/"],
  ] as const) {
    it(`${method} ${path} is none of the calls that pass`, () => assert.equal(recognise(method, path).kind, "unknown"));
  }

  it("is refused in the words of the API that it was meant for", () => {
    const dialect = (path: string, header = "") => callersDialect(path, (name) => name === header);
    assert.equal(dialect("/v1/messages/batches"), "anthropic_messages");
    assert.equal(dialect("/v1/files", "anthropic-version"), "anthropic_messages");
    assert.equal(dialect("/model/m/converse"), "aws_bedrock_invoke");
    assert.equal(dialect("/v1/files"), "openai_chat_completions");
  });
});
