import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { lastLines } from "./follow-output.ts";

const piece = fc.record({
  stream: fc.constantFrom("stdout" as const, "stderr" as const),
  data: fc.stringMatching(/^[ab\n]{1,8}$/).map((text) => Buffer.from(text)),
});

describe("the newest lines of an output", () => {
  it("are as many as are asked for, or all, and nothing but the end of what was written", () => {
    fc.assert(
      fc.property(fc.array(piece), fc.integer({ min: 1, max: 6 }), (written, lines) => {
        const whole = Buffer.concat(written.map(({ data }) => data)).toString();
        const taken = Buffer.concat(lastLines(written, lines).map(({ data }) => data)).toString();
        assert.equal(taken, (whole.match(/[^\n]*\n|[^\n]+$/g) ?? []).slice(-lines).join(""));
      }),
    );
  });
});
