import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { OcsfEvent } from "./ocsf-event.ts";
import { writeJsonl } from "./write-jsonl.ts";

describe("an event whose program chose its own name", () => {
  const message = "/sandbox/p\u001b[31m\u009b2J\u007f\n\u2028\u202e/é😀 may not connect";
  const line = writeJsonl({ message } as OcsfEvent);

  it("is one line that no terminal obeys", () => {
    assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });

  it("says what the program is called all the same", () => {
    assert.equal(JSON.parse(line).message, message);
  });
});
