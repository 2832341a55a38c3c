import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readModelAnswer } from "./read-answer.ts";
import { renderers } from "./test-support/model-answers.ts";

const spoken = [
  ["openai_chat_completions", "/chat/completions"],
  ["openai_responses", "/responses"],
  ["anthropic_messages", "/messages"],
] as const;

describe("a model's answer", () => {
  for (const [dialect, path] of spoken) {
    const whole = JSON.stringify(renderers.get(path)?.({ text: "ok" }, { model: "m" }).whole);

    it(`is read in ${dialect}`, () => {
      const answer = readModelAnswer(dialect, whole);
      assert.equal(answer?.text, "ok");
      assert.deepEqual(answer?.served, { model: "m", usage: { inputTokens: 11, outputTokens: 7 }, events: 0 });
    });

    it(`is not taken for one of another dialect than ${dialect}`, () => {
      for (const [other] of spoken) assert.equal(readModelAnswer(other, whole) !== undefined, other === dialect);
    });

    it(`is not what a page, a health check or a list of models says, in ${dialect}`, () => {
      for (const body of ["", "<html>ok</html>", "[]", "null", '{"status":"ok"}', '{"object":"list","data":[]}']) {
        assert.equal(readModelAnswer(dialect, body), undefined, body);
      }
    });
  }
});
