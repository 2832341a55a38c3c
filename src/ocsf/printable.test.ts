import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { printable } from "./printable.ts";

describe("text on its way to a terminal", () => {
  const cases: readonly (readonly [given: string, want: string])[] = [
    ["/usr/bin/curl", "/usr/bin/curl"],
    ["/tmp/a\n2026-04-01T00:00:00.000Z OCSF NET:OPEN", "/tmp/a\\x0a2026-04-01T00:00:00.000Z OCSF NET:OPEN"],
    ["\u001b[2J", "\\x1b[2J"],
    ["back\\slash", "back\\\\slash"],
    ["caf\u00e9 \u{1f600}", "caf\\xe9 \\u{1f600}"],
    ["\u202ereversed", "\\u{202e}reversed"],
    ["\ud800", "\\u{d800}"],
  ];
  for (const [given, want] of cases) it(`shows ${JSON.stringify(given)}`, () => assert.equal(printable(given), want));

  it("is printable ASCII, whatever it was", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => assert.match(printable(text), /^[ -~]*$/)));
  });

  it("is told apart from other text, unless it was cut", () => {
    const short = fc.string({ unit: "binary", maxLength: 50 });
    fc.assert(
      fc.property(short, short, (one, other) => {
        if (one !== other) assert.notEqual(printable(one), printable(other));
      }),
    );
  });

  it("is not long", () => {
    assert.ok(printable("x".repeat(1_000_000)).length < 1000);
  });
});
