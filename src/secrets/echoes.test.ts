/** The contract: a secret that comes back is masked in every spelling, in whatever pieces it comes, and nothing else changes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { EchoFollower } from "./echo-follower.ts";
import { Echoes } from "./echoes.ts";
import { Secret } from "./secret.ts";

const key = 'sk/key"+é=of the operator';
const longer = `${key}-and-more`;
const echoes = new Echoes([
  ["[key]", new Secret(key)],
  ["[longer]", new Secret(longer)],
]);
const bytes = (text: string): Buffer => Buffer.from(text);
const spellings = [key, longer, JSON.stringify(key).slice(1, -1), encodeURIComponent(key)].map(bytes);
const inBase64 = ["", "m", "me"].map((user) => bytes(Buffer.from(`${user}${longer}:`).toString("base64")));

/** Secrets, beginnings of them, and whatever else may stand beside them. */
const part = fc.oneof(
  fc.constantFrom(...spellings, ...inBase64),
  fc.tuple(fc.constantFrom(...spellings, ...inBase64), fc.nat()).map(([all, end]) => all.subarray(0, end % all.length)),
  fc.uint8Array({ maxLength: 20 }).map((each) => Buffer.from(each)),
);

function inPieces(whole: Buffer, lengths: readonly number[]): Buffer {
  const follower = new EchoFollower(echoes);
  const said: Buffer[] = [];
  let rest = whole;
  for (let at = 0; rest.length > 0; at++) {
    const length = lengths[at % lengths.length] ?? 1;
    said.push(follower.push(rest.subarray(0, length)));
    rest = rest.subarray(length);
  }
  return Buffer.concat([...said, follower.end()]);
}

describe("secrets in what comes back", () => {
  it("are masked, the longer one where one begins with another", () => {
    const text = Buffer.from(`<${key}> <${longer}>`).toString("latin1");
    assert.equal(echoes.masked(text), "<[key]> <[longer]>");
  });

  it("are masked alike in any pieces", () => {
    const property = fc.property(
      fc.array(part, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 }),
      (parts, lengths) => {
        const whole = Buffer.concat(parts);
        const wanted = echoes.masked(whole.toString("latin1"));
        assert.equal(inPieces(whole, lengths).toString("latin1"), wanted);
        for (const spelling of spellings) assert.ok(!wanted.includes(spelling.toString("latin1")));
      },
    );
    fc.assert(property, { numRuns: 2_000 });
  });

  it("leave everything else as it was, byte for byte", () => {
    const property = fc.property(
      fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 }),
      (parts, lengths) => {
        const whole = Buffer.concat(parts);
        assert.ok(inPieces(whole, lengths).equals(whole));
      },
    );
    fc.assert(property, { numRuns: 1_000 });
  });

  it("hold nothing back of a text whose end can't be the beginning of one", () => {
    const follower = new EchoFollower(echoes);
    const event = Buffer.from('data: {"delta":"sk"}\n\n');
    assert.equal(follower.push(event), event);
    assert.equal(follower.push(Buffer.from("data: sk/")).toString(), "data: ");
    assert.equal(follower.push(Buffer.from("hm\n\n")).toString(), "sk/hm\n\n");
    assert.equal(follower.end().length, 0);
  });
});
