import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { swapped } from "./owner-map.ts";

const id = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 ** 32 - 2 }));

/** What the kernel makes of an id by the map. */
function mapped(map: string, wanted: number): number | undefined {
  const ranges = map
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" ").map(Number));
  const found = ranges.filter(([inside = 0, , count = 0]) => wanted >= inside && wanted < inside + count);
  assert.ok(found.length < 2, `${wanted} is mapped twice`);
  const [inside = 0, outside = 0] = found[0] ?? [];
  return found.length === 0 ? undefined : outside + wanted - inside;
}

describe("a map of owners", () => {
  it("lets two change places and leaves everybody else alone", () => {
    fc.assert(
      fc.property(id, id, id, (one, other, third) => {
        const map = swapped(one, other);
        assert.equal(mapped(map, one), other);
        assert.equal(mapped(map, other), one);
        if (third !== one && third !== other) assert.equal(mapped(map, third), third);
      }),
    );
  });
});
