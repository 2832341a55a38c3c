/** Bedrock as callers see it: in its own dialect, and as if it were Anthropic's or OpenAI's API. */
import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { AwsEventReader } from "../../../aws/event-stream.ts";
import type { ModelRoute } from "../../../inference/routes.ts";
import { BedrockBackend } from "../../../inference/test-support/bedrock-backend.ts";
import { Secret } from "../../../secrets/secret.ts";
import { InferenceWorld } from "../test-support/inference-world.ts";

const model = "eu.anthropic.claude-sonnet-v1:0";
const asked = { model: "claude", max_tokens: 9, messages: [{ role: "user", content: "hi" }] };
const { model: _, ...plain } = asked;
const invoked = { ...plain, anthropic_version: "bedrock-2023-05-31" };
const streamed = { ...asked, stream: true };

async function bedrock(world: InferenceWorld, changes: Partial<ModelRoute> = {}): Promise<BedrockBackend> {
  const backend = new BedrockBackend();
  const key = { accessKeyId: new Secret("AKIAOPERATOR"), secretAccessKey: new Secret("aws-canary") };
  world.route({
    model,
    providerType: "aws-bedrock",
    dialects: ["aws_bedrock_invoke", "anthropic_messages"],
    baseUrl: await world.serve(backend.listener),
    aws: { key, region: "eu-west-1" },
    ...changes,
  });
  return backend;
}

function used({ audit }: InferenceWorld) {
  const last = audit.callOutcomes.at(-1);
  return [last?.inputTokens, last?.outputTokens, last?.tokensEstimated];
}

describe("Bedrock behind inference.local", () => {
  it("is asked with the operator's signature, and never the caller's", async () => {
    await using world = new InferenceWorld();
    const backend = await bedrock(world);
    const authorization = "AWS4-HMAC-SHA256 Credential=AKIACALLER/20261124/us-east-1/bedrock/aws4_request, Signature=0";
    const headers = { authorization, "x-amz-security-token": "callers" };
    const answer = await world.ask("/model/whatever/invoke", { headers, body: invoked });
    assert.equal(answer.json.content[0].text, "Hello.");
    const [call] = backend.calls;
    assert.equal(call?.target, "/model/eu.anthropic.claude-sonnet-v1%3A0/invoke");
    assert.match(
      call?.headers.authorization ?? "",
      /^AWS4-HMAC-SHA256 Credential=AKIAOPERATOR\/\d{8}\/eu-west-1\/bedrock\//,
    );
    assert.ok(!/AKIACALLER|callers|canary/.test(JSON.stringify(call)));
  });

  it("streams in its own events, byte for byte, and what it used is on record", async () => {
    await using world = new InferenceWorld();
    await bedrock(world);
    const response = await world.open("/model/m/invoke-with-response-stream", { body: invoked });
    assert.equal(response.headers["content-type"], "application/vnd.amazon.eventstream");
    const reader = new AwsEventReader();
    const events = (await response.toArray()).flatMap((piece: Buffer) => [...reader.push(piece)]);
    assert.ok(reader.betweenEvents);
    assert.ok(events.length > 3 && events.every(({ headers }) => headers.get(":event-type") === "chunk"));
    assert.deepEqual(used(world), [11, 7, undefined]);
  });

  it("is Anthropic's API for a caller who speaks Messages, whole and streamed", async () => {
    await using world = new InferenceWorld();
    const backend = await bedrock(world);
    const headers = { "anthropic-version": "2023-06-01", "anthropic-beta": "tools-2024" };
    const whole = await world.ask("/v1/messages", { headers, body: asked });
    assert.equal(whole.json.content[0].text, "Hello.");
    const response = await world.open("/v1/messages?beta=true", { headers, body: streamed });
    assert.equal(response.headers["content-type"], "text/event-stream");
    const said = await text(response);
    assert.match(said, /^event: message_start\ndata: \{"type":"message_start"/);
    assert.match(said, /event: message_stop\ndata: \{"type":"message_stop"\}\n\n$/);
    assert.equal(backend.calls[1]?.headers["anthropic-beta"], undefined);
    assert.deepEqual(used(world), [11, 7, undefined]);
  });

  it("keeps no threads, and says so in the words by which an SDK goes on without", async () => {
    await using world = new InferenceWorld();
    const backend = await bedrock(world);
    const refused = await world.ask("/v1/messages", { body: { ...asked, thread: { type: "create" } } });
    assert.equal(refused.status, 400);
    assert.deepEqual(refused.json.error.details, { error_code: "thread_unsupported_request" });
    assert.equal(refused.headers["x-openshell-reason"], "inference.no_threads");
    assert.equal(backend.calls.length, 0);
  });

  it("is translated for a caller who speaks Chat Completions", async () => {
    await using world = new InferenceWorld();
    await bedrock(world);
    const whole = await world.ask("/v1/chat/completions", { body: asked });
    assert.equal(whole.json.choices[0].message.content, "Hello.");
    const response = await world.open("/v1/chat/completions", { body: streamed });
    assert.match(await text(response), /"content":"Hel.*data: \[DONE\]\n\n$/s);
  });

  for (const [ending, words] of [
    ["exception", /event: error\ndata: .*"rate_limit_error".*too many tokens \(throttlingException\)/],
    ["break-off", /event: error\ndata: .*"api_error"/],
    ["garbage", /event: error\ndata: .*"api_error"/],
  ] as const) {
    it(`says so in the caller's dialect when its stream ends with ${ending}`, async () => {
      await using world = new InferenceWorld();
      const backend = await bedrock(world);
      backend.ending = ending;
      const response = await world.open("/v1/messages", { body: streamed });
      const pieces: string[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece.toString()));
      await new Promise<void>((resolve) => response.on("close", resolve));
      assert.match(pieces.join(""), words);
    });
  }

  it("ends a broken stream of its own with an exception that its SDKs know", async () => {
    await using world = new InferenceWorld();
    const backend = await bedrock(world, { timeouts: { connect: 1000, firstByte: 1000, idle: 50, total: 1000 } });
    backend.ending = "stall";
    const response = await world.open("/model/m/invoke-with-response-stream", { body: invoked });
    const reader = new AwsEventReader();
    const kinds: (string | undefined)[] = [];
    response.on("data", (piece: Buffer) => {
      for (const { headers } of reader.push(piece)) kinds.push(headers.get(":exception-type"));
    });
    await new Promise<void>((resolve) => response.on("close", resolve));
    assert.equal(kinds.at(-1), "modelTimeoutException");
    assert.equal(response.complete, false);
  });

  it("tells its failures in the words of the caller's API", async () => {
    await using world = new InferenceWorld();
    await bedrock(world);
    const body = { ...asked, anthropic_version: "wrong" };
    const messages = await world.ask("/v1/messages", { body });
    assert.equal(messages.status, 400);
    assert.deepEqual(messages.json.type, "error");
    assert.match(messages.json.error.message, /anthropic_version: Field required/);
    const own = await world.ask("/model/m/invoke", { body });
    assert.equal(own.status, 400);
    assert.match(own.json.message, /extraneous key|Field required/);
  });

  it("counts no tokens, and says so", async () => {
    await using world = new InferenceWorld();
    await bedrock(world);
    const answer = await world.ask("/v1/messages/count_tokens", { body: asked });
    assert.equal(answer.status, 400);
    assert.match(answer.json.error.message, /Bedrock counts no tokens/);
  });
});
