import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SandboxLogLineJson } from "../gen/openshell/v1/watch_pb.ts";
import { createLogShipper } from "./log-shipper.ts";

/** A log in memory, and a gateway that takes what is sent. */
function logWith(count: number) {
  const lines: SandboxLogLineJson[] = Array.from({ length: count }, (_, at) => ({ sequence: String(at + 1) }));
  const listeners = new Set<() => void>();
  const source = {
    readAfter: async (sequence: number, limit: number) => lines.slice(sequence, sequence + limit),
    subscribe(listener: () => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const append = () => {
    lines.push({ sequence: String(lines.length + 1) });
    for (const listener of listeners) listener();
  };
  return { source, append, listeners };
}

const last = (batch: readonly SandboxLogLineJson[]) => Number(batch.at(-1)?.sequence);

describe("log lines on their way to the gateway", () => {
  it("each go once, in order, in batches, from where the gateway is", async () => {
    const { source, append } = logWith(1_200);
    const shipper = createLogShipper(source);
    const sent: number[] = [];
    shipper.start(100, (batch) => {
      sent.push(...batch.map(({ sequence }) => Number(sequence)));
      shipper.stored(last(batch));
    });
    append();
    await shipper.drained();
    assert.deepEqual(
      sent,
      Array.from({ length: 1_101 }, (_, at) => at + 101),
    );
  });

  it("go in few batches while they keep coming", async () => {
    const { source, append } = logWith(0);
    const shipper = createLogShipper(source);
    const batches: number[] = [];
    shipper.start(0, (batch) => {
      batches.push(batch.length);
      // The gateway's answer takes a moment, in which the next line comes.
      setImmediate(() => {
        if (batches.length < 3) for (let line = 0; line < 10; line++) append();
        shipper.stored(batches.reduce((sum, length) => sum + length, 0));
      });
    });
    append();
    while (batches.length < 3) await new Promise((resolve) => setImmediate(resolve));
    await shipper.drained();
    assert.deepEqual(batches, [1, 10, 10]);
  });

  it("go again on the next session when the answer was lost", async () => {
    const { source } = logWith(3);
    const shipper = createLogShipper(source);
    const first = Promise.withResolvers<readonly SandboxLogLineJson[]>();
    shipper.start(0, first.resolve);
    assert.equal(last(await first.promise), 3);
    shipper.stop();
    const second = Promise.withResolvers<readonly SandboxLogLineJson[]>();
    shipper.start(1, second.resolve);
    assert.deepEqual(
      (await second.promise).map(({ sequence }) => sequence),
      ["2", "3"],
    );
  });

  it("keep nobody waiting, and leave no listener, when the session ends", async () => {
    const { source, listeners } = logWith(3);
    const shipper = createLogShipper(source);
    shipper.start(0, () => {});
    const drained = shipper.drained();
    shipper.stop();
    await drained;
    assert.equal(listeners.size, 0);
  });
});
