import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ignoredFiles } from "./ignored-files.ts";

describe("what a .dockerignore keeps back", () => {
  for (const [text, path, isIgnored] of [
    ["secret.env", "secret.env", true],
    ["secret.env", "deep/secret.env", false],
    ["/secret.env", "secret.env", true],
    ["./build/", "build/out.o", true],
    ["build/../secret", "secret", true],
    ["*.log", "a.log", true],
    ["*.log", "logs/a.log", false],
    ["*/*.log", "logs/a.log", true],
    ["**/*.log", "a.log", true],
    ["**/*.log", "a/b/c.log", true],
    ["docs/**", "docs/a/b", true],
    ["docs/**", "docs", false],
    ["**", "anything/at/all", true],
    ["temp?", "tempa/x", true],
    ["temp?", "temp", false],
    ["[ab]*.txt", "b1.txt", true],
    ["[^ab]*.txt", "b1.txt", false],
    ["[^ab]x", "/x", false],
    ["a\\*b", "a*b", true],
    ["a\\*b", "axb", false],
    ["# note\n\n  spaced  ", "spaced", true],
    ["# note", "# note", false],
    ["*\n!Dockerfile\n!src", "src/main.c", false],
    ["*\n!Dockerfile\n!src", "node_modules/x", true],
    ["*\n!src\nsrc/*.o", "src/main.o", true],
    ["!kept\nkept", "kept", true],
    ["a.c", "abc", false],
    ["one\r\ntwo\r\n", "two", true],
    [".", "file", false],
  ] as const) {
    it(`${JSON.stringify(text)}: ${path} ${isIgnored ? "stays behind" : "is sent"}`, () => {
      assert.equal(ignoredFiles(text).ignores(path), isIgnored);
    });
  }

  it("is not searched below an ignored folder, unless an exception may be there", () => {
    assert.ok(ignoredFiles("node_modules").ignoresAllBelow("node_modules"));
    assert.ok(!ignoredFiles("node_modules\n!node_modules/kept").ignoresAllBelow("node_modules"));
  });

  it("is anything that somebody writes: no line is an error", () => {
    const line = fc.string({ unit: fc.constantFrom(..."ab*?[]^!\\/.-{}()+|$ #") });
    fc.assert(fc.property(line, line, (text, path) => typeof ignoredFiles(text).ignores(path) === "boolean"));
  });
});
