import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { EventStreamReader } from "./event-stream.ts";
import { maxReadAnswerBytes, UsageFollower } from "./usage.ts";

/** Shows an answer in pieces of the given length. */
function follow(kind: "event-stream" | "json", text: string, length = 7) {
  const follower = new UsageFollower(kind);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += length) follower.push(bytes.subarray(at, at + length));
  return follower.finish();
}

const chatStream = [
  { model: "gpt-5-mini", choices: [{ delta: { content: "é" } }], usage: null },
  { model: "gpt-5-mini", choices: [], usage: { prompt_tokens: 9, completion_tokens: 12 } },
];
const messagesStream = [
  { type: "message_start", message: { model: "claude", usage: { input_tokens: 3, cache_read_input_tokens: 40 } } },
  { type: "content_block_delta", delta: { text: '"usage": {"output_tokens": 99}' } },
  { type: "message_delta", usage: { output_tokens: 15 } },
];
const responsesStream = [
  { type: "response.created", response: { model: "gpt-5", usage: null } },
  { type: "response.completed", response: { model: "gpt-5", usage: { input_tokens: 5, output_tokens: 6 } } },
];

describe("what a model used", () => {
  for (const [dialect, events, model, inputTokens, outputTokens] of [
    ["Chat Completions", chatStream, "gpt-5-mini", 9, 12],
    ["Messages", messagesStream, "claude", 43, 15],
    ["Responses", responsesStream, "gpt-5", 5, 6],
  ] as const) {
    it(`is read from a stream of ${dialect}, wherever it is cut`, () => {
      for (const lineEnd of ["\n", "\r\n", "\r"]) {
        const text = events.map((event) => `event: x${lineEnd}data: ${JSON.stringify(event)}${lineEnd}${lineEnd}`);
        const done = `data: [DONE]${lineEnd}${lineEnd}`;
        for (const length of [1, 2, 7, 1000]) {
          const served = follow("event-stream", `${text.join("")}${done}:`, length);
          assert.deepEqual(served, { model, usage: { inputTokens, outputTokens }, events: events.length + 1 });
        }
      }
    });
  }

  it("is the same wherever a stream is cut, also at the ends of events, as backends send them", () => {
    const event = fc.constantFrom(
      'data: {"model":"m"}\n\n',
      'data: {"model":"m","choices":[]}\n\n',
      'event: message_delta\ndata: {"usage":{"output_tokens":4}}\n\n',
      'data: {"usage":{"prompt_tokens":3,"completion_tokens":9}}\n\n',
      'data: {"text":"é \\"usage\\" \\n\\n"}\n\n',
      "data: a\ndata: b\n\n",
      ": keep-alive\n\n",
      "\n\n",
      "data: x\r\n\r\n",
    );
    fc.assert(
      fc.property(fc.array(fc.array(event)), fc.integer({ min: 1, max: 9 }), (pieces, length) => {
        const whole = new UsageFollower("event-stream");
        for (const piece of pieces) whole.push(Buffer.from(piece.join("")));
        assert.deepEqual(whole.finish(), follow("event-stream", pieces.flat().join(""), length));
      }),
    );
  });

  it("is read from a whole answer", () => {
    const chat = { model: "m", usage: { prompt_tokens: 1, completion_tokens: 2 } };
    assert.deepEqual(follow("json", JSON.stringify(chat)).usage, { inputTokens: 1, outputTokens: 2 });
    const embeddings = { model: "m", usage: { prompt_tokens: 8, total_tokens: 8 } };
    assert.deepEqual(follow("json", JSON.stringify(embeddings)).usage, { inputTokens: 8, outputTokens: 0 });
  });

  it("is unknown where nothing sensible is said", () => {
    assert.deepEqual(follow("json", "<html>"), { events: 0 });
    assert.deepEqual(follow("json", '{"usage":{"prompt_tokens":-1,"completion_tokens":"many"}}').usage, {
      inputTokens: 0,
      outputTokens: 0,
    });
    const long = JSON.stringify({ data: "x".repeat(maxReadAnswerBytes), usage: { prompt_tokens: 1 } });
    assert.deepEqual(follow("json", long, 65536), { events: 0 });
  });
});

describe("an event stream", () => {
  it("gives the same events wherever it is cut", () => {
    const piece = fc.constantFrom(
      "data: a\n",
      "data:b\r\n",
      "event: e\n",
      "\n",
      "\r\n",
      "\r",
      ": c\n",
      "data\n",
      "é: 1\n",
    );
    fc.assert(
      fc.property(fc.array(piece), fc.integer({ min: 1, max: 5 }), (pieces, length) => {
        const bytes = Buffer.from(`${pieces.join("")}\n\n`);
        const whole = new EventStreamReader(1000).push(bytes);
        const cut = new EventStreamReader(1000);
        const events = [];
        for (let at = 0; at < bytes.length; at += length) events.push(...cut.push(bytes.subarray(at, at + length)));
        assert.deepEqual(events, whole);
      }),
    );
  });

  it("drops an event that is too long, keeps little of it, and reads on", () => {
    const reader = new EventStreamReader(100);
    assert.deepEqual(reader.push(Buffer.from(`data: ${"x".repeat(60)}\ndata: ${"y".repeat(60)}\n\n`)), []);
    assert.deepEqual(reader.push(Buffer.from(`data: ${"x".repeat(5000)}`)), []);
    assert.deepEqual(reader.push(Buffer.from("xxx\r")), []);
    assert.deepEqual(reader.push(Buffer.from("\n\r\ndata: z\r\n\r\n")), [{ event: "", data: "z" }]);
    assert.equal(reader.dropped, 2);
  });

  it("knows whether it stands between two events", () => {
    const reader = new EventStreamReader(100);
    reader.push(Buffer.from("data: a\n"));
    assert.ok(!reader.betweenEvents);
    reader.push(Buffer.from("\n"));
    assert.ok(reader.betweenEvents);
  });
});
