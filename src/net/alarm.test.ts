import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Alarm } from "./alarm.ts";

/** An alarm, and the promise of its ringing. */
function alarm(): { readonly alarm: Alarm; readonly rung: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { alarm: new Alarm(resolve), rung: promise };
}

/** Keeps the program alive as what is waited for would: an alarm by itself does not. */
async function aliveUntil(promise: Promise<unknown>): Promise<void> {
  const timer = setInterval(() => {}, 1_000);
  await promise;
  clearInterval(timer);
}

describe("an alarm", () => {
  it("rings at the last time it was set to, whether that is earlier or later", async () => {
    const earlier = alarm();
    const later = alarm();
    earlier.alarm.set(60_000);
    earlier.alarm.set(2);
    later.alarm.set(1);
    later.alarm.set(20);
    await aliveUntil(Promise.all([earlier.rung, later.rung]));
  });

  it("does not ring when it was cleared, and rings when it is set again after that", async () => {
    const rung: string[] = [];
    const last = alarm();
    const cleared = new Alarm(() => rung.push("cleared"));
    const again = new Alarm(() => rung.push("again"));
    cleared.set(1);
    cleared.clear();
    again.set(1);
    again.off();
    again.set(2);
    last.alarm.set(40);
    await aliveUntil(last.rung);
    assert.deepEqual(rung, ["again"]);
  });
});
