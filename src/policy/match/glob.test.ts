import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { compileGlob, type GlobSyntax, isCatchAll } from "./glob.ts";

/** The language by its definition, without any thought for cost. */
function matchesSlowly(pattern: readonly string[], text: readonly string[], syntax: GlobSyntax): boolean {
  const [token, ...others] = pattern;
  if (token === undefined) return text.length === 0;
  if (token.startsWith("*")) {
    if (matchesSlowly(others, text, syntax)) return true;
    const [first, ...rest] = text;
    const crosses = token === "**" || syntax.separator === undefined;
    return first !== undefined && (crosses || first !== syntax.separator) && matchesSlowly(pattern, rest, syntax);
  }
  const [first, ...rest] = text;
  if (first === undefined) return false;
  const fits =
    token === "?" ? true : token === "[ab]" ? "ab".includes(first) : token === "[!a]" ? first !== "a" : token === first;
  return fits && matchesSlowly(others, rest, syntax);
}

const letters = fc.constantFrom("a", "b", "/", ".");
const texts = fc.array(letters, { maxLength: 10 });

/** Neighbouring stars would be read as one token of another kind. */
function withoutNeighbours(tokens: readonly string[]): string[] {
  return tokens.filter((token, index) => !(token.startsWith("*") && tokens[index - 1]?.startsWith("*")));
}

describe("a glob", () => {
  const syntaxes: readonly (readonly [string, GlobSyntax, readonly string[]])[] = [
    ["of a path", { classes: true }, ["a", "b", "/", "*", "**", "?", "[ab]", "[!a]"]],
    ["of a binary", { separator: "/", classes: false }, ["a", "b", "/", "*", "**"]],
    ["of a host", { separator: ".", classes: false }, ["a", "b", ".", "*", "**"]],
  ];
  for (const [name, syntax, tokens] of syntaxes) {
    it(`${name} matches what its definition says`, () => {
      fc.assert(
        fc.property(fc.array(fc.constantFrom(...tokens), { maxLength: 8 }), texts, (drawn, text) => {
          const pattern = withoutNeighbours(drawn);
          const expected = matchesSlowly(pattern, text, syntax);
          assert.equal(
            compileGlob(pattern.join(""), syntax)(text.join("")),
            expected,
            `${pattern.join("")} ~ ${text.join("")}`,
          );
        }),
        { numRuns: 5000 },
      );
    });
  }

  const table: readonly (readonly [string, string, boolean])[] = [
    ["", "", true],
    ["*", "", true],
    ["a*a", "a", false],
    ["a*a", "aa", true],
    ["[0-9]", "5", true],
    ["[!0]", "0", false],
    ["[!0]", "1", true],
    ["[]]", "]", true],
    ["[", "[", true],
    ["[a", "[a", true],
    ["[a-]", "-", true],
    ["?", "😀", true],
    ["a.c", "abc", false],
    ["(a|b)+", "(a|b)+", true],
    ["/repos/*/pulls/*", "/repos/x/y/pulls/1/files", true],
  ];
  for (const [pattern, text, expected] of table) {
    it(`${pattern} ${expected ? "matches" : "does not match"} ${JSON.stringify(text)}`, () => {
      assert.equal(compileGlob(pattern, { classes: true })(text), expected);
    });
  }

  it("takes no longer for a pattern made to be slow", () => {
    // A backtracking matcher would not be done before the sun is.
    const text = "a".repeat(8000);
    assert.equal(compileGlob(`${"*a".repeat(300)}b`, { classes: true })(text), false);
    assert.equal(compileGlob(`${"?*[ab]".repeat(100)}b`, { classes: true })(text), false);
    assert.equal(compileGlob(`${"*a**".repeat(100)}b`, { separator: "/", classes: false })(text), false);
  });

  it("takes letters in either case if it is told to, and never less than otherwise", () => {
    const anyCase = (pattern: string) => compileGlob(pattern, { classes: true, anyCase: true });
    for (const text of ["/Admin/users", "/ADMIN/", "/admin/É"]) assert.ok(anyCase("/admin/*")(text), text);
    for (const text of ["Bx", "bX"]) assert.ok(anyCase("[A-C]x")(text), text);
    assert.equal(anyCase("[!a]")("A"), true);
    assert.equal(anyCase("[!a-zA-Z]")("Q"), false);
    assert.equal(anyCase("[!-z]")("5"), true);
    assert.equal(anyCase("/é")("/É"), false);
    const piece = fc.constantFrom("a", "B", "*", "?", "[a-C]", "[!aB-D]", "[!x-]", "[", "/", "%C3", "1");
    const character = fc.constantFrom(..."aAbBcxX-/%31é");
    const joined = (parts: readonly string[]) => parts.join("");
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 5 }).map(joined),
        fc.array(character, { maxLength: 6 }).map(joined),
        (pattern, text) => {
          if (compileGlob(pattern, { classes: true })(text)) assert.ok(anyCase(pattern)(text));
          assert.equal(
            anyCase(pattern)(text),
            anyCase(pattern)(text.replace(/[a-z]/gi, (letter) => String.fromCharCode(letter.charCodeAt(0) ^ 0x20))),
          );
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("is a catch-all only if it crosses everything", () => {
    assert.equal(isCatchAll("*", { classes: true }), true);
    assert.equal(isCatchAll("*", { separator: "/", classes: false }), false);
    assert.equal(isCatchAll("**", { separator: "/", classes: false }), true);
    assert.equal(isCatchAll("", { classes: true }), false);
  });
});
