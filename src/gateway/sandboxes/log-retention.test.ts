import assert from "node:assert/strict";
import { it } from "node:test";
import { steadyClock } from "./log-retention.ts";

it("the clock that old lines are dropped by goes on with the time, and does not jump ahead with the machine's", () => {
  let machine = 1_000_000;
  const clock = steadyClock(() => machine);
  machine += 365 * 86_400_000;
  const ahead = clock();
  assert.ok(ahead >= 1_000_000 && ahead < 1_000_000 + 60_000, `${ahead}`);
  machine = 500_000;
  assert.equal(clock(), 500_000);
});
