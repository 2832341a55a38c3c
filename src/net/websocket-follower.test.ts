import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type FrameEvent, WebsocketFollower } from "./websocket-follower.ts";

/** A frame, written by hand from RFC 6455 section 5.2. */
function frame(opcode: number, payload: Buffer | string, options: { fin?: boolean; mask?: boolean } = {}): Buffer {
  const { fin = true, mask = true } = options;
  const key = mask ? [0x12, 0x34, 0x56, 0xff] : [];
  const bytes = Buffer.from(payload);
  const { length } = bytes;
  const eight = [0, 0, 0, 0, length >>> 24, length >>> 16, length >>> 8, length].map((byte) => byte & 0xff);
  const size = length < 126 ? [length] : length < 65_536 ? [126, ...eight.slice(6)] : [127, ...eight];
  size[0] = (size[0] ?? 0) | (mask ? 0x80 : 0);
  const masked = bytes.map((byte, index) => byte ^ (key[index % 4] ?? 0));
  return Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | opcode, ...size, ...key]), masked]);
}

interface Followed {
  /** Messages and control frames in the order in which they end, in words such as `text hello` and `ping x`. */
  readonly heard: readonly string[];
  readonly malformed?: { readonly code: number; readonly detail: string };
}

const controlNames: Readonly<Record<number, string>> = { 8: "close", 9: "ping", 10: "pong" };

/** Follows bytes that come in pieces cut at some places. */
function follow(bytes: Buffer, cuts: readonly number[] = [], from: "client" | "server" = "client"): Followed {
  const follower = new WebsocketFollower(from);
  const transcript = new Transcript();
  let at = 0;
  for (const end of [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)) {
    for (;;) {
      // A copy, since payload is unmasked in place.
      const event = follower.next(Buffer.from(bytes.subarray(at, end)));
      if (event.kind === "incomplete") break;
      if (event.kind === "malformed") return { heard: transcript.heard, malformed: event };
      at += event.size;
      transcript.add(event);
    }
  }
  assert.equal(at, bytes.length, "all that was sent is followed");
  return { heard: transcript.heard };
}

class Transcript {
  readonly heard: string[] = [];
  #message = "";

  add(event: Exclude<FrameEvent, { kind: "incomplete" | "malformed" }>): void {
    if (event.kind === "control") {
      this.heard.push(`${controlNames[event.opcode]} ${event.payload.toString("latin1")}`);
    } else if (event.kind === "frame") {
      if (event.header.opcode !== 0) this.#message = `${event.message} `;
    } else {
      this.#message += event.bytes.toString("latin1");
      if (event.ends === "message") this.heard.push(this.#message);
    }
  }
}

const text = (payload: string, options = {}) => frame(1, payload, options);
const header = (...bytes: readonly number[]) => Buffer.from(bytes);

/** Named as the cases of the Autobahn test suite are about. */
const broken: readonly (readonly [what: string, code: number, bytes: Buffer])[] = [
  ["a frame without a mask", 1002, frame(1, "x", { mask: false })],
  ["RSV1, as if compression had been agreed on", 1002, header(0xc1, 0x81, 0, 0, 0, 0, 0x78)],
  ["RSV2", 1002, header(0xa1, 0x81, 0, 0, 0, 0, 0x78)],
  ["RSV3", 1002, header(0x91, 0x81, 0, 0, 0, 0, 0x78)],
  ["RSV1 on a ping", 1002, header(0xc9, 0x80, 0, 0, 0, 0)],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(
    (opcode) => [`the reserved opcode ${opcode}`, 1002, header(0x80 | opcode, 0x80, 0, 0, 0, 0)] as const,
  ),
  ["a ping of 126 bytes", 1002, frame(9, "x".repeat(126))],
  ["a fragmented ping", 1002, frame(9, "x", { fin: false })],
  ["a fragmented close", 1002, frame(8, "", { fin: false })],
  ["a continuation of nothing", 1002, frame(0, "x")],
  ["a continuation after a message that has ended", 1002, Buffer.concat([text("x"), frame(0, "y")])],
  ["a text that begins inside of a text", 1002, Buffer.concat([text("x", { fin: false }), text("y")])],
  ["a binary that begins inside of a text", 1002, Buffer.concat([text("x", { fin: false }), frame(2, "y")])],
  ["a length of 5 in two bytes", 1002, header(0x81, 0xfe, 0, 5, 0, 0, 0, 0)],
  ["a length of 125 in two bytes", 1002, header(0x81, 0xfe, 0, 125, 0, 0, 0, 0)],
  ["a length of 65535 in eight bytes", 1002, header(0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0)],
  ["a length with the highest bit", 1002, header(0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
  ["a length beyond all numbers", 1002, header(0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0)],
  ["text that is no UTF-8", 1007, frame(1, Buffer.from("ff", "hex"))],
  ["text that ends inside of a character", 1007, frame(1, Buffer.from("e282", "hex"))],
  [
    "text whose fragments make no character",
    1007,
    Buffer.concat([frame(1, Buffer.from("e2", "hex"), { fin: false }), frame(0, "x")]),
  ],
  ["an overlong slash", 1007, frame(1, Buffer.from("c0af", "hex"))],
  ["a surrogate", 1007, frame(1, Buffer.from("eda080", "hex"))],
  ["a close with half a code", 1002, frame(8, "x")],
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535].map((code) => {
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    return [`a close with the code ${code}`, 1002, frame(8, payload)] as const;
  }),
  ["a close whose reason is no UTF-8", 1007, frame(8, Buffer.from("03e8c328", "hex"))],
];

describe("what a client sends on a WebSocket", () => {
  for (const [what, code, bytes] of broken) {
    it(`breaks the protocol by ${what}`, () => {
      assert.equal(follow(bytes).malformed?.code, code);
    });
  }

  for (const code of [1000, 1001, 1003, 1007, 1014, 3000, 4999]) {
    it(`may end with the code ${code}`, () => {
      const payload = Buffer.alloc(2);
      payload.writeUInt16BE(code);
      assert.deepEqual(follow(frame(8, payload)).heard, [`close ${payload.toString("latin1")}`]);
    });
  }

  it("may be fragmented, with control frames between the fragments", () => {
    const bytes = Buffer.concat([
      text("hel", { fin: false }),
      frame(9, "are you there"),
      frame(0, "", { fin: false }),
      frame(10, ""),
      frame(0, "lo"),
      frame(2, ""),
    ]);
    assert.deepEqual(follow(bytes).heard, ["ping are you there", "pong ", "text hello", "binary "]);
  });

  it("may split a character between two fragments", () => {
    const bytes = Buffer.concat([
      frame(1, Buffer.from("e2", "hex"), { fin: false }),
      frame(0, Buffer.from("82ac", "hex")),
    ]);
    assert.deepEqual(follow(bytes).heard, [`text ${Buffer.from("€").toString("latin1")}`]);
  });

  it("has lengths of three sizes", () => {
    for (const length of [125, 126, 65_535, 65_536]) {
      assert.deepEqual(follow(frame(2, "x".repeat(length))).heard, [`binary ${"x".repeat(length)}`]);
    }
  });
});

describe("what a server sends", () => {
  it("is not masked", () => {
    assert.deepEqual(follow(text("x", { mask: false }), [], "server").heard, ["text x"]);
    assert.equal(follow(text("x"), [], "server").malformed?.code, 1002);
  });
});

describe("frames in pieces", () => {
  const anyFrame = fc.record({
    opcode: fc.constantFrom(0, 1, 2, 8, 9, 10, 11),
    payload: fc.oneof(fc.string({ unit: "binary", maxLength: 200 }), fc.constant("x".repeat(70_000))),
    fin: fc.boolean(),
    mask: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  });

  it("mean the same wherever they are cut, and never throw", () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 12 }), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(({ opcode, payload, ...rest }) => frame(opcode, payload, rest)));
        const whole = outcome(() => follow(bytes));
        assert.deepEqual(
          outcome(() => follow(bytes, cuts)),
          whole,
        );
      }),
    );
  });
});

/** What was followed; a fault in a text is seen earlier when more of it is there, so the detail is left out. */
function outcome(run: () => Followed): readonly unknown[] {
  const { heard, malformed } = run();
  return [heard, malformed?.code];
}
