import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type ExecFrame,
  ExecFrameReader,
  exitFrame,
  inputCreditFrame,
  resizeFrame,
  signalFrame,
  stdinEndFrame,
  streamHeader,
} from "./exec-frames.ts";

/** What a reader makes of chunks, with the pieces of one stream that follow each other joined again. */
function readAll(chunks: readonly Buffer[]) {
  const frames: ExecFrame[] = [];
  const reader = new ExecFrameReader((frame) => {
    const last = frames.at(-1);
    if ("data" in frame && last?.kind === frame.kind && "data" in last) {
      frames[frames.length - 1] = { ...frame, data: Buffer.concat([last.data, frame.data]) };
    } else {
      frames.push("data" in frame ? { ...frame, data: Buffer.from(frame.data) } : frame);
    }
  });
  return { isReadable: chunks.every((chunk) => reader.push(chunk)), frames };
}

function encode(frame: ExecFrame): Buffer {
  switch (frame.kind) {
    case "stdin":
    case "stdout":
    case "stderr":
      return Buffer.concat([streamHeader(frame.kind, frame.data.length), frame.data]);
    case "exit":
      return exitFrame(frame.code);
    case "input-credit":
      return inputCreditFrame(frame.bytes);
    case "stdin-end":
      return stdinEndFrame();
    case "signal":
      return signalFrame(frame.name);
    case "resize":
      return resizeFrame(frame.columns, frame.rows);
    default:
      return frame satisfies never;
  }
}

const cells = fc.integer({ min: 0, max: 0xffff });
const plain = { noNullPrototype: true } as const;
const frame: fc.Arbitrary<ExecFrame> = fc.oneof(
  fc.record(
    {
      kind: fc.constantFrom("stdin", "stdout", "stderr"),
      data: fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes)),
    },
    plain,
  ),
  fc.record({ kind: fc.constant("exit"), code: fc.integer({ min: -1, max: 255 }) }, plain),
  fc.record({ kind: fc.constant("input-credit"), bytes: fc.integer({ min: 0, max: 0xffff_ffff }) }, plain),
  fc.record({ kind: fc.constant("stdin-end") }, plain),
  fc.record({ kind: fc.constant("signal"), name: fc.constantFrom("SIGINT", "SIGTERM", "") }, plain),
  fc.record({ kind: fc.constant("resize"), columns: cells, rows: cells }, plain),
);
/** Streams that follow each other are one. */
const joined = (frames: readonly ExecFrame[]) => readAll(frames.map(encode)).frames;

describe("the frames of a command's channel", () => {
  it("carry streams and words in their order, wherever the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(frame), fc.integer({ min: 1, max: 20 }), (frames, size) => {
        const bytes = Buffer.concat(frames.map(encode));
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
          bytes.subarray(index * size, (index + 1) * size),
        );
        const read = readAll(chunks);
        assert.equal(read.isReadable, true);
        assert.deepEqual(read.frames, joined(frames));
        const said = (of: readonly ExecFrame[]) =>
          of.flatMap((each): unknown[] => ("data" in each ? [...each.data] : [each]));
        assert.deepEqual(said(read.frames), said(frames));
      }),
    );
  });

  for (const [what, bytes] of [
    ["a kind that there is not", Buffer.from([9, 0, 0, 0, 1])],
    ["a stream that is too long", streamHeader("stdout", 2 ** 31)],
    ["an exit of five bytes", Buffer.from([3, 0, 0, 0, 5])],
    ["a signal with a novel for a name", Buffer.from([18, 0, 0, 1, 0])],
    ["an end of input with something in it", Buffer.from([17, 0, 0, 0, 1])],
  ] as const) {
    it(`are refused for ${what}`, () => assert.equal(readAll([bytes]).isReadable, false));
  }
});
