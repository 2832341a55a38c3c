import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BodyFollower, maxTrailerBytes } from "./http1-body.ts";
import type { Framing } from "./http1-framing.ts";

/** Shows the bytes in pieces of the given lengths, the last one repeating; gives what became of them. */
function follow(framing: Framing, text: string, lengths: readonly number[] = [Number.MAX_SAFE_INTEGER]) {
  const bytes = Buffer.from(text, "latin1");
  let payload = "";
  const body = new BodyFollower(framing, (piece) => {
    payload += piece.toString("latin1");
  });
  let taken = 0;
  for (let shown = 0, turn = 0; !body.ended && shown < bytes.length; turn++) {
    shown = Math.min(bytes.length, shown + (lengths[Math.min(turn, lengths.length - 1)] ?? 1));
    const progress = body.advance(bytes.subarray(taken, shown));
    if (progress.kind === "malformed") return { end: "malformed", taken, payload };
    taken += progress.taken;
  }
  return { end: body.ended ? "end" : "more", taken, payload };
}

const chunked: Framing = { kind: "chunked" };

describe("a body", () => {
  it("that is counted ends after its bytes, and what follows is left", () => {
    const framing: Framing = { kind: "length", length: 5 };
    assert.deepEqual(follow(framing, "helloGET /"), { end: "end", taken: 5, payload: "hello" });
    assert.deepEqual(follow(framing, "hell"), { end: "more", taken: 4, payload: "hell" });
  });

  it("that is none or empty has ended before it began", () => {
    assert.ok(new BodyFollower({ kind: "none" }).ended);
    assert.ok(new BodyFollower({ kind: "length", length: 0 }).ended);
  });

  it("that ends with the connection takes all", () => {
    assert.deepEqual(follow({ kind: "until-close" }, "anything"), { end: "more", taken: 8, payload: "anything" });
  });

  const text = "5\r\nhello\r\n0010\r\n0123456789abcdef\r\n0\r\nX-Sum: 1\r\n\r\nGET /";
  it("in chunks is followed wherever the pieces are cut", () => {
    const expected = { end: "end", taken: text.length - 5, payload: "hello0123456789abcdef" };
    assert.deepEqual(follow(chunked, text), expected);
    assert.deepEqual(follow(chunked, text, [1]), expected);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1 }), (lengths) => {
        assert.deepEqual(follow(chunked, text, lengths), expected);
      }),
    );
  });

  const malformed: readonly (readonly [name: string, body: string])[] = [
    ["an extension", "5;a=b\r\nhello\r\n0\r\n\r\n"],
    ["white space behind the size", "5 \r\nhello\r\n0\r\n\r\n"],
    ["white space before the size", " 5\r\nhello\r\n0\r\n\r\n"],
    ["a sign", "+5\r\nhello\r\n0\r\n\r\n"],
    ["0x", "0x5\r\nhello\r\n0\r\n\r\n"],
    ["no size", "\r\nhello\r\n0\r\n\r\n"],
    ["a size beyond numbers", "fffffffffffffffff\r\n"],
    ["a size that wraps around", "10000000000000005\r\nhello\r\n0\r\n\r\n"],
    ["bare LF behind the size", "5\nhello\r\n0\r\n\r\n"],
    ["bare CR behind the size", "5\rxhello\r\n0\r\n\r\n"],
    ["bare LF behind the data", "5\r\nhello\n0\r\n\r\n"],
    ["more data than said", "4\r\nhello\r\n0\r\n\r\n"],
    ["less data than said", "6\r\nhello\r\n0\r\n\r\n"],
    ["bare LF in the trailers", "0\r\nA: b\n\r\n\r\n"],
    ["a folded trailer", "0\r\nA: b\r\n c\r\n\r\n"],
    ["a bare CR for the trailers' end", "0\r\n\rx"],
    ["framing in the trailers", "0\r\nContent-Length: 3\r\n\r\n"],
    ["a host in the trailers", "0\r\nHost: other.invalid\r\n\r\n"],
    ["framing in the trailers, as CGI spells it", "0\r\ncontent_length: 3\r\n\r\n"],
    ["another method in the trailers", "0\r\nX-HTTP-Method-Override: DELETE\r\n\r\n"],
    ["another path in the trailers", "0\r\nx_original_url: /admin\r\n\r\n"],
    ["trailers too long", `0\r\nA: ${"b".repeat(maxTrailerBytes)}\r\n\r\n`],
    ["trailers too long and unfinished", `0\r\nA: ${"b".repeat(maxTrailerBytes)}`],
  ];
  for (const [name, body] of malformed) {
    it(`in chunks is refused with ${name}`, () => {
      assert.equal(follow(chunked, body).end, "malformed");
      assert.equal(follow(chunked, body, [1]).end, "malformed");
    });
  }

  it("in chunks holds its trailers back until they are checked", () => {
    assert.equal(follow(chunked, "0\r\nHost: other.invalid\r\n").taken, 3);
  });

  it("never takes more than it was shown and never throws", () => {
    const noise = fc.array(fc.constantFrom("0", "5", "a", "\r\n", "\r", "\n", "hello", ";", "A: b", "\r\n\r\n", "\0"), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(noise, fc.integer({ min: 1, max: 9 }), (pieces, length) => {
        const text = pieces.join("");
        const whole = follow(chunked, text);
        const cut = follow(chunked, text, [length]);
        assert.ok(whole.taken <= text.length);
        assert.equal(cut.end, whole.end);
        if (whole.end !== "malformed") assert.deepEqual(cut, whole);
      }),
      { numRuns: 2000 },
    );
  });
});
