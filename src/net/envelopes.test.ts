import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { EnvelopeReader, envelope } from "./envelopes.ts";

describe("a stream of envelopes", () => {
  it("gives the same messages however it is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), fc.integer({ min: 1, max: 17 }), (messages, step) => {
        const stream = Buffer.concat(messages.map((message) => envelope(message)));
        const reader = new EnvelopeReader();
        const read: Buffer[] = [];
        for (let at = 0; at < stream.length; at += step) {
          for (const { bytes, isEnd } of reader.push(stream.subarray(at, at + step))) {
            assert.equal(isEnd, false);
            read.push(Buffer.from(bytes));
          }
        }
        assert.deepEqual(
          read,
          messages.map((message) => Buffer.from(message)),
        );
      }),
    );
  });

  it("refuses compression and messages beyond the limit", () => {
    assert.throws(() => new EnvelopeReader().push(Buffer.from([1, 0, 0, 0, 0])), /compressed/);
    assert.throws(() => new EnvelopeReader().push(Buffer.from([0, 0xff, 0, 0, 0])), /bytes/);
  });
});
