import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ExecFrameReader, exitFrame, FRAME_STDERR, FRAME_STDOUT, frameHeader } from "./exec-frames.ts";

/** What a reader makes of a stream that comes in pieces: the outputs, the exit, and whether it was readable. */
function readAll(chunks: readonly Buffer[]) {
  const output = { [FRAME_STDOUT]: "", [FRAME_STDERR]: "" };
  const exits: number[] = [];
  const reader = new ExecFrameReader({
    output: (kind, bytes) => {
      output[kind] += bytes.toString("latin1");
    },
    exit: (code) => exits.push(code),
  });
  const isReadable = chunks.every((chunk) => reader.push(chunk));
  return { stdout: output[FRAME_STDOUT], stderr: output[FRAME_STDERR], exits, isReadable };
}

const text = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const kind = fc.constantFrom<1 | 2>(FRAME_STDOUT, FRAME_STDERR);

describe("the frames of an exec channel", () => {
  it("carry both outputs and the exit code, wherever the stream is cut", () => {
    const frames = fc.array(fc.tuple(kind, text));
    fc.assert(
      fc.property(frames, fc.integer({ min: -1, max: 255 }), fc.integer({ min: 1, max: 20 }), (written, code, size) => {
        const bytes = Buffer.concat([
          ...written.flatMap(([of, said]) => [frameHeader(of, said.length), Buffer.from(said, "latin1")]),
          exitFrame(code),
        ]);
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
          bytes.subarray(index * size, (index + 1) * size),
        );
        const of = (wanted: number) =>
          written
            .filter(([kind]) => kind === wanted)
            .map(([, said]) => said)
            .join("");
        assert.deepEqual(readAll(chunks), {
          stdout: of(FRAME_STDOUT),
          stderr: of(FRAME_STDERR),
          exits: [code],
          isReadable: true,
        });
      }),
    );
  });

  it("are refused when their kind or length makes no sense", () => {
    assert.equal(readAll([Buffer.from([9, 0, 0, 0, 1])]).isReadable, false);
    assert.equal(readAll([frameHeader(FRAME_STDOUT, 2 ** 31)]).isReadable, false);
    assert.equal(readAll([Buffer.from([3, 0, 0, 0, 5])]).isReadable, false);
  });
});
