import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { encodeFrame, encodeJsonFrame, FrameReader, type FrameType, frame, MAX_FRAME_BYTES } from "./protocol.ts";

const someFrame = fc.record(
  {
    type: fc.constantFrom(...(Object.values(frame) as FrameType[])),
    channel: fc.nat({ max: 0xffffffff }),
    payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  },
  { noNullPrototype: true },
);

describe("frames", () => {
  it("are the same however the stream is cut into pieces", () => {
    fc.assert(
      fc.property(fc.array(someFrame, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 50 })), (sent, sizes) => {
        const bytes = Buffer.concat(sent.map(({ type, channel, payload }) => encodeFrame(type, channel, payload)));
        const reader = new FrameReader();
        const read = pieces(bytes, sizes).flatMap((piece) => reader.push(piece));
        assert.deepEqual(read, sent);
      }),
    );
  });

  it("may be as long as the limit, and not a byte longer", () => {
    const longest = Buffer.alloc(MAX_FRAME_BYTES - 5);
    const [read] = new FrameReader().push(encodeFrame(frame.stdout, 1, longest));
    assert.equal(read?.payload.length, longest.length);
    const tooLong = encodeFrame(frame.stdout, 1, Buffer.alloc(MAX_FRAME_BYTES - 4));
    // Refused by its first bytes, before the rest has come.
    assert.throws(() => new FrameReader().push(tooLong.subarray(0, 4)), RangeError);
  });

  it("are refused when they say that they are shorter than their own header", () => {
    for (const length of [0, 4]) {
      const bytes = Buffer.alloc(16);
      bytes.writeUInt32LE(length);
      assert.throws(() => new FrameReader().push(bytes), RangeError);
    }
  });

  it("carry documents as JSON", () => {
    const [read] = new FrameReader().push(encodeJsonFrame(frame.exited, 3, { code: null, signal: 9 }));
    assert.deepEqual(JSON.parse(read?.payload.toString() ?? ""), { code: null, signal: 9 });
  });
});

/** Bytes cut into pieces of the sizes given, the last of which takes what is left. */
function pieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const cut: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    cut.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...cut, bytes.subarray(at)];
}
