import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { deepestJson, parseStrictJson, type StrictJson } from "./strict-json.ts";

function parse(text: string) {
  return parseStrictJson(Buffer.from(text));
}

/** As JSON.parse gives it. */
function plain(value: StrictJson): unknown {
  if (value instanceof Map) return Object.fromEntries(Array.from(value, ([key, item]) => [key, plain(item)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

describe("JSON that another program will read too", () => {
  it("means what JSON.parse says, whatever it holds", () => {
    const json = fc.json({ maxDepth: 5 }).filter((text) => text.isWellFormed() && !text.includes("\\ud"));
    fc.assert(
      fc.property(json, (text) => {
        const read = parse(text);
        assert.ok(read.ok, text);
        assert.deepEqual(plain(read.value), JSON.parse(text));
      }),
    );
  });

  it("is never read where JSON.parse finds none", () => {
    const piece = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      "\\",
      "a",
      "\\u00",
      "1",
      "-",
      "0",
      ".",
      "e",
      " ",
      "true",
      "null",
      "NaN",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("");
        if (parse(text).ok) JSON.parse(text);
      }),
    );
  });

  for (const [what, text] of [
    ["a repeated key", '{"method": "ping", "method": "tools/call"}'],
    ["a key repeated as an escape", '{"method": 1, "m\\u0065thod": 2}'],
    ["a repeated key far down", '{"a": [{"b": {"c": 1, "c": 1}}]}'],
    ["a byte order mark", "\ufeff{}"],
    ["half a surrogate pair", '["\\ud800"]'],
    ["NaN", "[NaN]"],
    ["a comment", "{} // no"],
    ["a trailing comma", "[1,]"],
    ["a leading zero", "[01]"],
    ["a line break in a string", '["\n"]'],
    ["two values", "{}{}"],
    ["nothing", ""],
    ["too deep nesting", "[".repeat(deepestJson + 2) + "]".repeat(deepestJson + 2)],
  ] as const) {
    it(`is refused with ${what}`, () => assert.equal(parse(text).ok, false));
  }

  it("is refused with bytes that are no UTF-8", () => {
    assert.equal(parseStrictJson(Buffer.from([0x22, 0xc0, 0xaf, 0x22])).ok, false);
  });

  it("keeps __proto__ as a key like any other", () => {
    const read = parse('{"__proto__": {"method": "x"}}');
    assert.ok(read.ok && read.value instanceof Map);
    assert.equal(read.value.get("method"), undefined);
  });
});
