import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { everyParameter, mayBeNamed, partedAtSemicolons } from "./query-readings.ts";

describe("a parameter", () => {
  for (const written of [
    "_method",
    "_METHOD", // ASP.NET
    ".method", // PHP
    "  _method",
    "_method[]",
    "_method[0]",
    "_method[a][b]",
    "[_method]", // qs, Rack
    "[[_method",
  ]) {
    it(`called ${JSON.stringify(written)} may be taken for \`_method\``, () => {
      assert.ok(mayBeNamed(written, "_method"));
    });
  }

  it("with a bracket that is left open is read in two ways", () => {
    assert.ok(mayBeNamed("delete[all", "delete_all"));
    assert.ok(mayBeNamed("delete[all", "delete"));
  });

  it("in brackets is not each other one beside it", () => {
    assert.ok(mayBeNamed("Filter[name]", "filter[name]"));
    assert.ok(!mayBeNamed("filter[size]", "filter[name]"));
  });

  for (const written of ["method", "_methods", "x_method", "", "[]"]) {
    it(`called ${JSON.stringify(written)} is another than \`_method\``, () =>
      assert.ok(!mayBeNamed(written, "_method")));
  }
});

describe("a query", () => {
  it("is parted at semicolons as well", () => {
    const query = [["a", "1;b=2;c"]] as const;
    const parted = [
      ["a", "1"],
      ["b", "2"],
      ["c", ""],
    ];
    assert.deepEqual(partedAtSemicolons(query), parted);
    assert.deepEqual(everyParameter(query), [...query, ...parted]);
  });

  it("without semicolons is read in one way", () => {
    const query = [["a", "1"]] as const;
    assert.equal(everyParameter(query), query);
  });
});
