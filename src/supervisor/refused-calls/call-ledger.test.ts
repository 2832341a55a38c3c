import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CallLedger, type CallTally } from "./call-ledger.ts";

interface Tally extends CallTally {
  readonly scope: "kind" | "others";
}

const hour = 3_600_000;

function openLedger() {
  const ledger = new CallLedger<Tally>();
  let now = 0;
  /** Counts one call; gives the count if it is to be reported. */
  const count = (kind: string) => {
    const open = (scope: Tally["scope"]) => ({ scope, since: now, count: 0, reported: 0, reportedAt: now });
    const { tally, isDue } = ledger.count(kind, now, open);
    return isDue ? tally.count : undefined;
  };
  return {
    ledger,
    count,
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
    takeUnreported: () => ledger.takeUnreported(now).map(({ count: total, scope }) => [scope, total]),
  };
}

describe("the ledger of refused calls", () => {
  it("reports a loop of ten thousand calls five times", () => {
    const { count } = openLedger();
    const reports = Array.from({ length: 10_000 }, () => count("mount by sh")).filter(Boolean);
    assert.deepEqual(reports, [1, 10, 100, 1000, 10_000]);
  });

  it("reports each program and each call by itself", () => {
    const { count } = openLedger();
    assert.deepEqual(["mount by sh", "mount by bash", "chroot by sh", "mount by sh"].map(count), [1, 1, 1, undefined]);
  });

  it("reports what goes on slowly once an hour", () => {
    const { count, pass } = openLedger();
    const hourly = Array.from({ length: 4 }, () => {
      pass(hour);
      return [count("mount by sh"), count("mount by sh")];
    });
    assert.deepEqual(hourly, [
      [1, undefined],
      [3, undefined],
      [5, undefined],
      [7, undefined],
    ]);
  });

  it("counts what it has no room for together, under nobody's name", () => {
    const { count, takeUnreported } = openLedger();
    const reports = Array.from({ length: 1000 }, (_, index) => count(`mount by copy ${index}`)).filter(Boolean);
    // 255 kinds, and 745 calls of others, reported at 1, 10 and 100.
    assert.equal(reports.length, 255 + 3);
    assert.deepEqual(takeUnreported(), [["others", 745]]);
  });

  it("gives what was only counted at the end, once", () => {
    const { count, takeUnreported } = openLedger();
    for (let call = 0; call < 12; call++) count("mount by sh");
    count("chroot by sh");
    assert.deepEqual(takeUnreported(), [["kind", 12]]);
    assert.deepEqual(takeUnreported(), []);
  });
});
