import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { lineHash, verifyChain } from "./chain.ts";

/** A log of so many lines, as the audit log writes it. */
function log(length: number): string[] {
  const lines: string[] = [];
  for (let sequence = 1; sequence <= length; sequence += 1) {
    const before = lines.at(-1);
    const tags = before === undefined ? [] : [{ name: "previous_hash", value: lineHash(before) }];
    lines.push(JSON.stringify({ message: `event ${sequence}`, metadata: { sequence, tags } }));
  }
  return lines;
}

const placed = (lines: readonly string[]) => lines.map((line, index) => ({ line, place: `line ${index + 1}` }));

describe("the chain of a log", () => {
  it("holds for what was written, from wherever it is looked at", () => {
    const lines = log(9);
    assert.deepEqual(verifyChain(placed(lines)), { ok: true, checked: 9, first: 1, last: 9 });
    assert.deepEqual(verifyChain(placed(lines.slice(4))), { ok: true, checked: 5, first: 5, last: 9 });
    assert.deepEqual(verifyChain([]), { ok: true, checked: 0 });
  });

  it("breaks where a line was removed, changed, repeated or moved, and says where", () => {
    const lines = log(9);
    const broken = (changed: readonly string[]) => {
      const report = verifyChain(placed(changed));
      assert.ok(!report.ok);
      return `${report.place}: ${report.problem}`;
    };
    assert.match(broken(lines.toSpliced(3, 2)), /^line 4: between events 3 and 6/);
    assert.match(broken(lines.with(4, (lines[4] ?? "").replace("event 5", "nothing"))), /^line 6: .*event 5/);
    assert.match(broken(lines.toSpliced(5, 0, lines[4] ?? "")), /^line 6: event 5 stands behind event 5/);
    assert.match(broken(lines.with(2, "not an event")), /^line 3: is no event/);
  });

  it("breaks whatever is done to the lines in the middle", () => {
    const lines = log(12);
    const change = fc.oneof(
      fc
        .record({ from: fc.integer({ min: 1, max: 9 }), count: fc.integer({ min: 1, max: 2 }) })
        .map(({ from, count }) => lines.toSpliced(from, count)),
      fc
        .tuple(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 1, max: 11 }))
        .filter(([a, b]) => a < b)
        .map(([a, b]) => lines.with(a, lines[b] ?? "").with(b, lines[a] ?? "")),
      fc.tuple(fc.integer({ min: 0, max: 10 }), fc.nat()).map(([at, where]) => {
        const line = lines[at] ?? "";
        const index = where % line.length;
        return lines.with(at, `${line.slice(0, index)}${line[index] === "x" ? "y" : "x"}${line.slice(index + 1)}`);
      }),
    );
    fc.assert(fc.property(change, (changed) => assert.equal(verifyChain(placed(changed)).ok, false)));
  });

  it("begins where a log of an older version goes on with this one", () => {
    const old = [1, 2, 3].map((sequence) => JSON.stringify({ metadata: { sequence } }));
    const next = JSON.stringify({
      metadata: { sequence: 4, tags: [{ name: "previous_hash", value: lineHash(old[2] ?? "") }] },
    });
    assert.equal(verifyChain(placed([...old, next])).ok, true);
    assert.equal(verifyChain(placed([...old.slice(0, 2), next])).ok, false);
    const stripped = JSON.stringify({ metadata: { sequence: 5 } });
    assert.equal(verifyChain(placed([...old, next, stripped])).ok, false, "and does not end again");
  });
});
