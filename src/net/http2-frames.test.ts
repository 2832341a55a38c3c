import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { connectionPreface, type FrameHeader, FrameReader, frameTypes } from "./http2-frames.ts";

function written({ length, type, streamId, endsStream, errorCode }: FrameHeader): Buffer {
  const bytes = Buffer.alloc(9 + length, 0xff);
  bytes.writeUIntBE(length, 0, 3);
  bytes[3] = type;
  // A PING with this bit is an acknowledgement.
  bytes[4] = endsStream || type === frameTypes.ping ? 1 : 0;
  bytes.writeUInt32BE(streamId, 5);
  if (errorCode !== undefined) bytes.writeUInt32BE(errorCode, 9);
  return bytes;
}

const streamId = fc.integer({ min: 0, max: 0x7fffffff });
const anyFrame = fc.oneof(
  fc.record(
    {
      length: fc.integer({ min: 0, max: 40 }),
      type: fc.constantFrom(4, 6, 8, 9, 77),
      streamId,
      endsStream: fc.constant(false),
    },
    { noNullPrototype: true },
  ),
  fc.record(
    { length: fc.integer({ min: 0, max: 40 }), type: fc.constantFrom(0, 1), streamId, endsStream: fc.boolean() },
    { noNullPrototype: true },
  ),
  fc.record(
    {
      length: fc.constant(4),
      type: fc.constant(frameTypes.rstStream),
      streamId,
      endsStream: fc.constant(false),
      errorCode: fc.integer({ min: 0, max: 0xffffffff }),
    },
    { noNullPrototype: true },
  ),
);

describe("the headers of frames", () => {
  it("are found however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(anyFrame), fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (frames, cuts) => {
        const bytes = Buffer.concat([connectionPreface, ...frames.map(written)]);
        const reader = new FrameReader(connectionPreface.length);
        const found: FrameHeader[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const end = at + (cuts[turn % cuts.length] ?? 1);
          reader.read(bytes.subarray(at, end), (frame) => found.push(frame));
          at = end;
        }
        assert.deepEqual(found, frames);
      }),
    );
  });

  it("are found behind a reset of the wrong length", () => {
    const frames: FrameHeader[] = [
      { length: 0, type: frameTypes.rstStream, streamId: 1, endsStream: false },
      { length: 2, type: frameTypes.rstStream, streamId: 3, endsStream: false },
      { length: 8, type: frameTypes.ping, streamId: 0, endsStream: false },
    ];
    const found: FrameHeader[] = [];
    new FrameReader(0).read(Buffer.concat(frames.map(written)), (frame) => found.push(frame));
    assert.deepEqual(found, frames);
  });
});
