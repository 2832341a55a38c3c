import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileBinaries } from "./binary.ts";

describe("binaries", () => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ["/usr/bin/git", "/usr/bin/git", true],
    ["/usr/bin/git", "/usr/bin/git2", false],
    ["/usr/bin/python3*", "/usr/bin/python3.11", true],
    ["/usr/bin/*", "/usr/bin/deep/git", false],
    ["/usr/**", "/usr/lib/git-core/git", true],
    ["/usr/**/git", "/usr/git", false],
    ["/opt/[ab]", "/opt/a", false],
    ["any", "/whatever", true],
  ];
  for (const [pattern, path, expected] of table) {
    it(`${pattern} ${expected ? "covers" : "does not cover"} ${path}`, () => {
      assert.equal(compileBinaries([pattern])({ path, ancestors: [] }), expected);
    });
  }

  it("cover what an allowed program starts", () => {
    const covers = compileBinaries(["/usr/bin/agent"]);
    assert.equal(covers({ path: "/usr/bin/curl", ancestors: ["/bin/sh", "/usr/bin/agent"] }), true);
    assert.equal(covers({ path: "/usr/bin/curl", ancestors: ["/bin/sh"] }), false);
  });
});
