import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { canonicalTarget } from "../../net/canonical-path.ts";
import { compilePath, isEveryPath, pathGlobProblem } from "./path.ts";

describe("a path glob", () => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ["/repos/*", "/repos/a/b", true],
    ["/repos/**", "/repos", false],
    ["**", "/", true],
    ["/v[0-9]/x", "/v1/x", true],
    ["/a b", "/a%20b", true],
    ["/%7euser", "/~user", true],
    ["/é", "/%C3%A9", true],
    ["/{id}", "/%7Bid%7D", true],
    ["/%2A", "/*", true],
    ["/%2A", "/x", false],
    ["/a%2fb", "/a%2Fb", true],
    ["/a%40b", "/a@b", true],
  ];
  for (const [pattern, path, expected] of table) {
    it(`${pattern} ${expected ? "matches" : "does not match"} ${path}`, () => {
      assert.equal(compilePath(pattern)(path), expected);
    });
  }

  it("written as a request would write it matches that request", () => {
    // A segment of parameters only is refused, so that no glob has to match it.
    const segment = fc.stringMatching(/^[A-Za-z0-9 ~éß{}"'$&+,=:@-][A-Za-z0-9 ~éß{}"'$&+,;=:@-]{0,7}$/);
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), (segments) => {
        const written = `/${segments.join("/")}`;
        const asked = canonicalTarget(`/${segments.map(encodeURIComponent).join("/")}`);
        assert.ok(asked.ok);
        assert.equal(compilePath(written)(asked.target.path), true, `${written} ~ ${asked.target.path}`);
      }),
    );
  });

  for (const pattern of [
    "",
    "repos",
    "/a/../b",
    "/a/./b",
    "/a//b",
    "/a/..",
    "/a#b",
    "/a\\b",
    "/a%",
    "/a%2",
    "/%00",
    "/%5c",
  ]) {
    it(`${JSON.stringify(pattern)} can never match`, () => assert.notEqual(pathGlobProblem(pattern), undefined));
  }

  it("knows when it is every path", () => {
    for (const pattern of ["*", "**", "/*", "/**"]) assert.equal(isEveryPath(pattern), true, pattern);
    for (const pattern of ["/", "/a*", "", "?*"]) assert.equal(isEveryPath(pattern), false, pattern);
  });
});
