import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { JsonLineReader, jsonLine } from "./json-lines.ts";

/** Cuts bytes at the given places. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index] ?? 0, end));
}

describe("messages as lines of JSON", () => {
  it("come out as they went in, wherever the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.array(fc.nat()), (messages, cuts) => {
        const read: unknown[] = [];
        const reader = new JsonLineReader(1_000_000, (message) => read.push(message));
        for (const piece of pieces(Buffer.from(messages.map(jsonLine).join("")), cuts)) {
          assert.equal(reader.push(piece), undefined);
        }
        assert.deepEqual(read, JSON.parse(JSON.stringify(messages)));
      }),
    );
  });

  it("are refused when they are no JSON, or too long, finished or not", () => {
    const reader = () => new JsonLineReader(10, () => {});
    assert.equal(reader().push(Buffer.from("{]\n")), "line is not JSON");
    assert.equal(reader().push(Buffer.from(`"${"a".repeat(20)}"\n`)), "line too long");
    assert.equal(reader().push(Buffer.from("a".repeat(11))), "line too long");
  });

  it("never make the reader throw by what they are", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        new JsonLineReader(50, () => {}).push(Buffer.from(bytes));
      }),
    );
  });
});
