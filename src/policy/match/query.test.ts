import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileQuery } from "./query.ts";

const wanted = new Map([["tag", ["v1.*", "v2.*"]]]);

describe("a query condition", () => {
  const table: readonly (readonly [string, readonly (readonly [string, string])[], boolean, boolean])[] = [
    ["holds for a value that matches", [["tag", "v1.0"]], true, true],
    ["fails for a value that does not", [["tag", "v3"]], false, false],
    ["fails without the parameter", [["other", "v1.0"]], false, false],
    [
      "needs every value to allow, one to deny",
      [
        ["tag", "v1.0"],
        ["tag", "v3"],
      ],
      false,
      true,
    ],
    ["sees what hides behind a semicolon", [["x", "1;tag=v1.0"]], false, true],
    [
      "is not led by half of the servers",
      [
        ["x", "1;tag=v3"],
        ["tag", "v1.0"],
      ],
      false,
      true,
    ],
    ["takes a name in another case for the parameter only to deny", [["Tag", "v1.0"]], false, true],
    ["takes a list for the parameter only to deny", [["tag[]", "v1.0"]], false, true],
    [
      "is not led by those who put a list in the parameter's place",
      [
        ["tag", "v1.0"],
        ["tag[0]", "v3"],
      ],
      false,
      true,
    ],
    [
      "is not led by those who take no notice of case",
      [
        ["tag", "v1.0"],
        ["TAG", "v3"],
      ],
      false,
      true,
    ],
    [
      "leaves other parameters alone",
      [
        ["tag", "v1.0"],
        ["tags[]", "v3"],
      ],
      true,
      true,
    ],
  ];
  for (const [what, query, toAllow, toDeny] of table) {
    it(what, () => {
      assert.equal(compileQuery(wanted, "allow")(query), toAllow);
      assert.equal(compileQuery(wanted, "deny")(query), toDeny);
    });
  }
});
