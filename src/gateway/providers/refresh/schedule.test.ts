/** When credentials are renewed: whole milliseconds, as the API has them, and never after their end. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { refreshTime } from "./schedule.ts";

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
