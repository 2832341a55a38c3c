/** When credentials are renewed: whole milliseconds, as the API has them, and never after their end. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isDue, refreshTime, retryTime } from "./schedule.ts";

describe("the time of a renewal", () => {
  it("is a whole millisecond within the credential's life, whatever its profile asks for", () => {
    const property = fc.property(
      fc.nat(),
      fc.nat({ max: 86_400_000 }),
      fc.option(fc.nat({ max: 86_400 }), { nil: undefined }),
      (now, lifeMs, refreshBeforeSecs) => {
        const life = { now, expiresAtMs: now + lifeMs };
        const at = refreshTime(life, refreshBeforeSecs === undefined ? {} : { refreshBeforeSecs });
        assert.ok(Number.isInteger(at), `${at}`);
        assert.ok(at >= life.now && at <= life.expiresAtMs);
      },
    );
    fc.assert(property, { numRuns: 2_000 });
  });
});

describe("whether a credential is to be renewed now", () => {
  const hour = 3_600_000;
  const renewed = { lastRefreshAtMs: 10 * hour, nextRefreshAtMs: 10.9 * hour, failures: 0 };

  it("is not so right after, and so when its time has come", () => {
    assert.equal(isDue(renewed, 10 * hour), false);
    assert.equal(isDue(renewed, 10.9 * hour), true);
  });

  it("is so when the clock was set, ahead or back: who gave it has another one", () => {
    assert.equal(isDue(renewed, 15 * hour), true);
    assert.equal(isDue(renewed, 5 * hour), true);
  });

  it("is not so again at once where that has failed, but after a quarter of an hour at most, whatever the clock does", () => {
    const failed = { lastRefreshAtMs: 0, nextRefreshAtMs: retryTime(10 * hour, 20), failures: 21 };
    assert.equal(isDue(failed, 10 * hour), false);
    assert.equal(isDue(failed, 10.25 * hour), true);
    assert.equal(isDue(failed, 5 * hour), true);
  });
});
