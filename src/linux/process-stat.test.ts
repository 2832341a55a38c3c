import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseProcessStat } from "./process-stat.ts";

const rest = "S 41 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 1 1 1";

describe("a process's stat line", () => {
  it("gives parent and start time, whatever the process calls itself", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 15 }), (name) => {
        assert.deepEqual(parseProcessStat(`77 (${name}) ${rest}`), { parent: 41, startTime: 987654, isCorpse: false });
      }),
    );
    assert.deepEqual(parseProcessStat(`77 (x) S 1 (y) ${rest}`), { parent: 41, startTime: 987654, isCorpse: false });
  });

  it("is refused when it is none", () => {
    for (const line of ["", "77", "77 (x) S", "77 (x) S x y"]) assert.equal(parseProcessStat(line), undefined);
  });
});
