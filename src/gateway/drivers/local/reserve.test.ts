import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PreparedSupervisor } from "../driver.ts";
import { Reserve } from "./reserve.ts";

/** Supervisors by the order in which they were prepared, and which of them were discarded. */
class Workshop {
  isCurrent = true;
  readonly discarded: string[] = [];
  /** What a supervisor's end takes. */
  discarding: Promise<void> = Promise.resolve();
  #prepared = 0;

  readonly reserve = new Reserve({
    prepare: async () => {
      this.#prepared += 1;
      const placement = { sandboxId: String(this.#prepared) };
      return { placement, ended: new Promise(() => {}) } as unknown as PreparedSupervisor;
    },
    discard: async ({ placement }) => {
      await this.discarding;
      this.discarded.push(placement.sandboxId);
    },
    isCurrent: () => this.isCurrent,
  });

  async take(): Promise<string> {
    return (await this.reserve.take()).placement.sandboxId;
  }
}

describe("the reserve", () => {
  it("gives the one that was prepared before anybody asked", async () => {
    const workshop = new Workshop();
    workshop.reserve.fill();
    assert.equal(await workshop.take(), "1");
    assert.deepEqual(workshop.discarded, []);
    await workshop.reserve.close();
  });

  it("prepares one where there is none", async () => {
    const workshop = new Workshop();
    assert.equal(await workshop.take(), "1");
    await workshop.reserve.close();
  });

  it("discards one that was started from a package that has been replaced since", async () => {
    const workshop = new Workshop();
    workshop.reserve.fill();
    workshop.isCurrent = false;
    assert.equal(await workshop.take(), "2");
    await workshop.reserve.close();
    assert.deepEqual(workshop.discarded, ["1"]);
  });

  it("is closed once everything that it discards is gone, and whatever can't be removed", async () => {
    const workshop = new Workshop();
    const { promise, resolve } = Promise.withResolvers<void>();
    workshop.discarding = promise;
    workshop.reserve.fill();
    workshop.isCurrent = false;
    await workshop.take();
    const closed = workshop.reserve.close().then(() => [...workshop.discarded]);
    resolve();
    assert.deepEqual(await closed, ["1"]);

    const unlucky = new Workshop();
    const failed = Promise.reject(new Error("no space left on device"));
    failed.catch(() => {});
    unlucky.discarding = failed;
    unlucky.reserve.fill();
    await unlucky.reserve.close();
    assert.deepEqual(unlucky.discarded, []);
  });

  it("discards what nobody has asked for when it is closed", async () => {
    const workshop = new Workshop();
    workshop.reserve.fill();
    await workshop.reserve.close();
    assert.deepEqual(workshop.discarded, ["1"]);
  });
});
