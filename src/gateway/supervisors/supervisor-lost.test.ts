import assert from "node:assert/strict";
import { it } from "node:test";
import { SandboxPhase } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { GatewayContext } from "../context.ts";
import { Revivals } from "../sandboxes/revivals.ts";
import { newStatus } from "../sandboxes/status.ts";
import type { SandboxRecord } from "../store/store.ts";
import { supervisorEnded, supervisorLost } from "./supervisor-lost.ts";

it("a supervisor that comes back while its absence is written down is not said to be away", async () => {
  const record = {
    id: "a",
    desired: "running",
    status: newStatus("a", { phase: SandboxPhase.READY, startedAtMs: 0n }),
    supervisor: { pid: 1, startTime: "1", instanceId: "one" },
  } as SandboxRecord;
  let isBack = false;
  let clock = 0;
  const written: (SandboxRecord | undefined)[] = [];
  const context = {
    store: { sandboxes: { get: async () => record } },
    driver: { isRunning: () => true },
    sessions: { get: () => (isBack ? {} : undefined) },
    signal: new AbortController().signal,
    now: () => (clock += 1_000),
    registry: {
      async change(_id: string, make: (current: SandboxRecord) => SandboxRecord | undefined) {
        isBack = true;
        written.push(make(record));
      },
    },
  };
  await supervisorLost(context as unknown as GatewayContext, { sandboxId: "a", instanceId: "one" });
  assert.deepEqual(written, [undefined]);
});

it("a supervisor that is looked for while the database is away is looked for again", async () => {
  const answers = [new Error("connect ECONNREFUSED"), undefined];
  const logged: string[] = [];
  const lookedAgain = Promise.withResolvers<void>();
  const context = {
    store: {
      sandboxes: {
        async get() {
          const answer = answers.shift();
          if (answer !== undefined) throw answer;
          lookedAgain.resolve();
        },
      },
    },
    log: { error: (what: string) => void logged.push(what) },
    signal: new AbortController().signal,
  };
  await supervisorLost(context as unknown as GatewayContext, { sandboxId: "a", instanceId: "one" });
  // The timer alone does not keep a program going.
  const patience = setTimeout(() => lookedAgain.reject(new Error("nobody has looked again")), 30_000);
  await lookedAgain.promise;
  clearTimeout(patience);
  assert.deepEqual(logged, ["the supervisor of a"]);
});

it("a sandbox whose end can't be stored for a long time is brought back as if it could have been at once", async () => {
  const record = {
    id: "a",
    name: "a",
    desired: "running",
    status: newStatus("a", { phase: SandboxPhase.READY, startedAtMs: 0n }),
    supervisor: { pid: 1, startTime: "1", instanceId: "one" },
  } as SandboxRecord;
  const pauses: number[] = [];
  const revivals = new Revivals(async () => {});
  revivals.schedule = (_id, pauseMs) => void pauses.push(pauseMs);
  let isFull = true;
  const context = {
    store: { sandboxes: { get: async () => undefined } },
    log: { info() {} },
    runs: { run: (_id: string, work: () => Promise<void>) => work() },
    revivals,
    now: Date.now,
    registry: {
      async change(_id: string, make: (current: SandboxRecord) => SandboxRecord | undefined) {
        const changed = make(record);
        if (isFull) throw new Error("database or disk is full");
        return changed;
      },
    },
  } as unknown as GatewayContext;
  const end = () => supervisorEnded(context, { sandboxId: "a", instanceId: "one" }, "it was killed");
  for (let attempt = 0; attempt < 100; attempt += 1) await assert.rejects(end, /full/);
  isFull = false;
  await end();
  await end();
  assert.deepEqual(pauses, [0, 1_000]);
});
