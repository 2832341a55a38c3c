import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { LogRecord } from "./read-after.ts";
import { RecentRecords } from "./recent-records.ts";

/** A record whose line has so many characters. */
const record = (sequence: number, characters = 100) => ({ sequence, line: "x".repeat(characters) }) as LogRecord;

describe("the newest records", () => {
  it("are not known to be all that came after a number, until one is", () => {
    const recent = new RecentRecords();
    assert.equal(recent.after(0, 10), undefined);
    recent.add(record(5));
    assert.equal(recent.after(3, 10), undefined);
    assert.deepEqual(recent.after(4, 10), [record(5)]);
    assert.deepEqual(recent.after(5, 10), []);
  });

  it("give what a search through all would give, or say that they can't", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 100_000 }), { maxLength: 200 });
    fc.assert(
      fc.property(sizes, fc.nat(220), fc.integer({ min: 1, max: 50 }), (lengths, sequence, limit) => {
        const recent = new RecentRecords();
        for (const [index, characters] of lengths.entries()) recent.add(record(index + 1, characters));
        const all = lengths.map((characters, index) => record(index + 1, characters));
        const want = all.filter((one) => one.sequence > sequence).slice(0, limit);
        const got = recent.after(sequence, limit);
        if (got !== undefined) assert.deepEqual(got, want);
        // The newest is always there, however long it is.
        if (lengths.length > 0) assert.deepEqual(recent.after(lengths.length - 1, 1), all.slice(-1));
      }),
    );
  });
});
