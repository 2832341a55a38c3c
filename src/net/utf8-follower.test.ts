import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Utf8Follower } from "./utf8-follower.ts";

/** Follows bytes cut at some places; the number of pieces that were taken, or true if all was well. */
function follow(bytes: Buffer, cuts: readonly number[]): number | boolean {
  const follower = new Utf8Follower();
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  for (const [index, end] of places.slice(1).entries()) {
    if (!follower.advance(bytes.subarray(places[index], end))) return index;
  }
  return follower.end();
}

/** Bytes of which many are at the edges that RFC 3629 draws. */
const edgyBytes = fc
  .array(
    fc.constantFrom(0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xf5),
  )
  .map((bytes) => Buffer.from(bytes));
const cuts = fc.array(fc.nat());

describe("UTF-8 in pieces", () => {
  it("is valid when it is valid in one piece, wherever it is cut", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), cuts, (text, places) => {
        const bytes = Buffer.from(text.toWellFormed(), "utf8");
        assert.equal(follow(bytes, places), true);
      }),
    );
  });

  it("is invalid when it is invalid in one piece, wherever it is cut", () => {
    fc.assert(
      fc.property(edgyBytes, cuts, (bytes, places) => {
        assert.equal(follow(bytes, places) === true, isUtf8(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it("is given up at the first byte that nothing valid can follow", () => {
    for (const hopeless of ["f5", "c0", "e09f", "eda0", "f08f", "f490", "e28228", "f0908041"]) {
      assert.equal(new Utf8Follower().advance(Buffer.from(hopeless, "hex")), false, hopeless);
    }
    for (const hopeful of ["f4", "e2", "e282", "ed9f", "f09080"]) {
      assert.equal(new Utf8Follower().advance(Buffer.from(hopeful, "hex")), true, hopeful);
    }
  });
});
