import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Placeholder, PlaceholderPattern, PlaceholderReplacer } from "./placeholder-text.ts";

const tokens = ["ghp_aaaaaaaaaaaaaaaaaaaa", "ghp_aaaaaaaaaaaaaaaaaaaab", "sk-zzzzzzzzzzzzzzzz"];
const secrets: Readonly<Record<string, string>> = {
  TOKEN: "T",
  TOKEN_TWO: "a much longer secret than what stood for it",
};
const pattern = new PlaceholderPattern(tokens);

function substitute({ text, key }: Placeholder): string | undefined {
  if (key === undefined) return `<${tokens.indexOf(text)}>`;
  return Object.hasOwn(secrets, key) ? secrets[key] : undefined;
}

function inPieces(text: string, cuts: readonly number[]): string {
  const replacer = new PlaceholderReplacer(pattern, substitute);
  const bytes = Buffer.from(text, "latin1");
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  const pieces = places.slice(1).map((end, index) => replacer.push(bytes.subarray(places[index], end)));
  return Buffer.concat([...pieces, replacer.end()]).toString("latin1");
}

const word = fc.oneof(
  fc.constantFrom(...tokens, ...tokens.map((token) => token.slice(0, -3)), "openshell:resolve:env:TOKEN"),
  fc.constantFrom(
    "openshell%3Aresolve%3aenv%3ATOKEN_TWO",
    "xoxb-OPENSHELL-RESOLVE-ENV-TOKEN",
    "openshell:resolve:env:NONE",
  ),
  fc.constantFrom("openshell:resolve:", "-OPENSHELL-RESOLVE-ENV-", "TOKEN", "_TWO", "a", "&", "\n"),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
);
const text = fc.array(word, { maxLength: 12 }).map((words) => words.join(""));

describe("placeholders in a text", () => {
  it("are found in every form, the longest key that there is counting", () => {
    assert.equal(pattern.replace(`token ${tokens[0]}.`, substitute), "token <0>.");
    assert.equal(pattern.replace(`${tokens[1]}`, substitute), "<1>");
    assert.equal(pattern.replace("Bearer openshell:resolve:env:TOKEN", substitute), "Bearer T");
    assert.equal(pattern.replace("k=openshell%3Aresolve%3Aenv%3ATOKEN&x", substitute), "k=T&x");
    assert.equal(pattern.replace("xoxb-OPENSHELL-RESOLVE-ENV-TOKEN_TWO", substitute), secrets["TOKEN_TWO"]);
    assert.equal(pattern.replace("openshell:resolve:env:TOKENS", substitute), "openshell:resolve:env:TOKENS");
  });

  it("are replaced alike, however the text is cut into pieces", () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(), { maxLength: 8 }), (whole, cuts) => {
        assert.equal(inPieces(whole, cuts), pattern.replace(whole, substitute));
      }),
      { numRuns: 2_000 },
    );
  });

  it("are all that changes", () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(), { maxLength: 8 }), (whole, cuts) => {
        const replacer = new PlaceholderReplacer(pattern, () => undefined);
        const bytes = Buffer.from(whole, "latin1");
        const pieces = [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        let from = 0;
        const out = pieces.map((to) => {
          const piece = replacer.push(bytes.subarray(from, to));
          from = to;
          return piece;
        });
        assert.deepEqual(Buffer.concat([...out, replacer.end()]), bytes);
      }),
    );
  });
});
