/** Whatever a caller or a backend says: it is translated, or refused by name; nothing is thrown. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Call } from "../backend-request.ts";
import { readCallBody } from "../call-body.ts";
import { failureMessage } from "../error-body.ts";
import { type ModelRoute, modelRoutesFromJson } from "../routes.ts";
import { type Translation, translate } from "./translate.ts";

const operations = {
  openai_chat_completions: "/chat/completions",
  openai_responses: "/responses",
  anthropic_messages: "/messages",
} as const;

type Spoken = keyof typeof operations;
const dialects = Object.keys(operations) as Spoken[];
const pairs = dialects.flatMap((from) => dialects.filter((to) => to !== from).map((to) => [from, to] as const));

/** Words of all three APIs, so that noise gets past the first look. */
const names = fc.constantFrom(
  ...["messages", "input", "instructions", "system", "tools", "tool_choice", "role", "content", "type", "text", "name"],
  ...[
    "id",
    "call_id",
    "arguments",
    "function",
    "tool_calls",
    "tool_call_id",
    "tool_use_id",
    "parameters",
    "input_schema",
  ],
  ...["source", "image_url", "url", "data", "media_type", "stop", "max_tokens", "temperature", "stream", "reasoning"],
  ...["effort", "response_format", "format", "schema", "json_schema", "thinking", "budget_tokens", "output", "model"],
  ...["choices", "message", "delta", "finish_reason", "usage", "prompt_tokens", "response", "item", "content_block"],
  ...["index", "partial_json", "stop_reason", "error", "status", "is_error", "__proto__"],
);
const values = fc.constantFrom<unknown>(
  ...["user", "assistant", "system", "tool", "developer", "function", "text", "input_text", "output_text", "image"],
  ...[
    "image_url",
    "tool_use",
    "tool_result",
    "function_call",
    "function_call_output",
    "message",
    "base64",
    "auto",
    "any",
  ],
  ...[
    "message_start",
    "content_block_start",
    "content_block_delta",
    "message_delta",
    "message_stop",
    "error",
    "hi",
    "",
  ],
  ...[
    "response.created",
    "response.output_item.added",
    "response.output_text.delta",
    "response.completed",
    "{}",
    "null",
  ],
  ...["text_delta", "input_json_delta", "json_object", "enabled", "stop", "tool_calls", "incomplete"],
  ...[0, 1, -1, 1.5, true, false, null],
);

const { json } = fc.letrec((tie) => ({
  json: fc.oneof({ maxDepth: 6 }, values, fc.array(tie("json"), { maxLength: 3 }), tie("object")),
  object: fc.dictionary(names, tie("json"), { maxKeys: 6 }),
}));
const object = fc.dictionary(names, json, { maxKeys: 8 });

function route(dialect: Spoken): ModelRoute {
  const [read] = modelRoutesFromJson({ routes: [{ name: "r", model: "m", dialects: [dialect] }] }).routes;
  assert.ok(read);
  return read;
}

function callOf(dialect: Spoken, request: object): Call | undefined {
  const read = readCallBody(Buffer.from(JSON.stringify(request)));
  const said = { dialect, operation: operations[dialect], header: () => undefined, query: [] };
  return read.ok ? { ...said, body: read.body } : undefined;
}

function plainTranslation(from: Spoken, to: Spoken): Translation {
  const messages = [{ role: "user", content: "hi" }];
  const call = callOf(from, from === "openai_responses" ? { input: "hi" } : { messages });
  const translation = call && translate(call, route(to), 1);
  assert.ok(translation !== undefined && !("untranslatable" in translation));
  return translation;
}

for (const [from, to] of pairs) {
  describe(`from ${from} to ${to}`, () => {
    it("any request is translated to one that can be read again, or refused", () => {
      fc.assert(
        fc.property(object, fc.array(json, { maxLength: 3 }), (noise, items) => {
          for (const request of [noise, { ...noise, messages: items }, { ...noise, input: items }]) {
            const call = callOf(from, request);
            const translation = call && translate(call, route(to), 1);
            if (translation === undefined) continue;
            if ("untranslatable" in translation) assert.ok(translation.untranslatable.length > 0);
            else assert.equal(translation.call.body.model, "m");
          }
        }),
        { numRuns: 300 },
      );
    });

    it("any answer is translated or refused, whole and in events", () => {
      fc.assert(
        fc.property(object, fc.array(fc.oneof(object, fc.string()), { maxLength: 6 }), (whole, said) => {
          const translation = plainTranslation(from, to);
          const answer = translation.answer(Buffer.from(JSON.stringify(whole)));
          if (typeof answer === "string") JSON.parse(answer);
          assert.equal(typeof failureMessage(Buffer.from(JSON.stringify(whole))), "string");
          const stream = translation.stream();
          for (const event of said) {
            const data = typeof event === "string" ? event : JSON.stringify(event);
            if (typeof stream.push(Buffer.from(`data: ${data}\n\n`)) !== "string") return;
          }
          stream.end();
        }),
        { numRuns: 300 },
      );
    });
  });
}
