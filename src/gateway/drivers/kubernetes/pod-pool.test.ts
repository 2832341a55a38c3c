import assert from "node:assert/strict";
import { afterEach, describe, it, mock } from "node:test";
import { PodPool } from "./pod-pool.ts";

/** A pod whose end a test decides. */
function pod(name: string) {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  return { name, ended, end };
}
type TestPod = ReturnType<typeof pod>;

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("a pool of ready pods", () => {
  let made: TestPod[] = [];
  const troubles: unknown[] = [];
  const pool = (size: number, make: () => Promise<TestPod>) =>
    new PodPool<TestPod>({ size, make, onTrouble: (error) => troubles.push(error) });
  const makeOne = async () => {
    const one = pod(`pod-${made.length + 1}`);
    made.push(one);
    return one;
  };
  afterEach(() => {
    made = [];
    troubles.length = 0;
    mock.timers.reset();
  });

  it("has as many as it is to have, gives the oldest away, and makes another for it", async () => {
    const two = pool(2, makeOne);
    two.fill();
    await settled();
    assert.equal(made.length, 2);
    assert.equal(two.take()?.name, "pod-1");
    await settled();
    assert.equal(made.length, 3);
    assert.deepEqual(
      (await two.close()).map(({ name }) => name),
      ["pod-2", "pod-3"],
    );
  });

  it("gives none away that has ended", async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    const one = pool(1, makeOne);
    one.fill();
    await settled();
    made[0]?.end();
    await settled();
    assert.equal(one.take(), undefined);
    mock.timers.tick(1_000);
    await settled();
    assert.equal(one.take()?.name, "pod-2");
  });

  it("asks a cluster that has no room more and more seldom", async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    const one = pool(1, async () => {
      throw new Error("no room");
    });
    one.fill();
    await settled();
    for (const [pauseMs, tries] of [
      [999, 1],
      [1, 2],
      [1_999, 2],
      [1, 3],
    ] as const) {
      mock.timers.tick(pauseMs);
      await settled();
      assert.equal(troubles.length, tries);
    }
    await one.close();
  });
});
