/** The contract: a backend that repeats the operator's key in an answer, in whatever pieces, does not tell it to the sandbox. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Secret } from "../../../secrets/secret.ts";
import { InferenceWorld } from "../test-support/inference-world.ts";

const key = "sk-operators-canary";
const chat = { model: "any", messages: [{ role: "user", content: "What was your key?" }] };
const whole = JSON.stringify({
  id: "1",
  object: "chat.completion",
  model: "m",
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: `It is ${key}, or so.` } }],
});
const delta = (content: string): string =>
  `data: ${JSON.stringify({ id: "1", model: "m", choices: [{ index: 0, delta: { content } }] })}\n\n`;
const events = `${delta(`It is ${key},`)}${delta(" or so.")}data: [DONE]\n\n`;

/** Says it one byte after the other, each in a chunk of its own. */
async function dribble(response: ServerResponse, text: string): Promise<void> {
  for (const byte of Buffer.from(text)) {
    response.write(Buffer.of(byte));
    await nextTurn();
  }
  response.end();
}

async function world(text: string, type: string, route: object = {}): Promise<InferenceWorld> {
  const made = new InferenceWorld();
  const baseUrl = await made.serve((request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": type, "x-request-id": `for-${key}` });
    void dribble(response, text);
  });
  made.route({ baseUrl, ...route });
  return made;
}

describe("a backend that repeats the key it was asked with", () => {
  it("in an answer and a header is passed on without it", async () => {
    await using inference = await world(whole, "application/json");
    const { headers, json } = await inference.ask("/v1/chat/completions", { body: chat });
    assert.equal(json.choices[0].message.content, "It is [redacted], or so.");
    assert.equal(headers["x-request-id"], "for-[redacted]");
  });

  it("in a stream is passed on without it", async () => {
    await using inference = await world(events, "text/event-stream");
    const { body } = await inference.ask("/v1/chat/completions", { body: { ...chat, stream: true } });
    assert.equal(body, events.replace(key, "[redacted]"));
  });

  for (const stream of [false, true]) {
    it(`is translated without it${stream ? ", as a stream" : ""}`, async () => {
      await using inference = await world(stream ? events : whole, stream ? "text/event-stream" : "application/json");
      const { body } = await inference.ask("/v1/messages", { body: { ...chat, max_tokens: 9, stream } });
      assert.match(body, /It is \[redacted\],/);
      assert.ok(!body.includes(key));
    });
  }

  it("has its words left alone where the key is a stand-in, which is a word", async () => {
    const text = whole.replace(key, "none");
    await using inference = await world(text, "application/json", { credential: new Secret("none") });
    assert.equal((await inference.ask("/v1/chat/completions", { body: chat })).body, text);
  });
});
