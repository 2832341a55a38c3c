/** Sandboxes whose supervisor ends while the gateway can't write its state, or not even read it. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { SandboxPhase } from "../../gen/openshell/v1/sandbox_pb.ts";
import { openSqliteStore } from "../store/sqlite/store.ts";
import type { SandboxRecord, SandboxStore, Store } from "../store/store.ts";
import { startTestGateway, type TestGateway } from "../test-support/test-gateway.ts";

const PATIENCE_MS = 30_000;

/** What SQLite throws when the disk is full, and what a database throws that is being restarted. */
const full = Object.assign(new Error("database or disk is full"), { code: "ERR_SQLITE_ERROR", errcode: 13 });
const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });

describe("a sandbox whose supervisor ends", () => {
  let directory: string;
  let gateway: TestGateway;
  /** Thrown by whatever reads or writes sandboxes. */
  let onRead: Error | undefined;
  let onWrite: Error | undefined;
  /** Told of each sandbox that was written. */
  let written = (_: SandboxRecord) => {};

  const openStore = async (): Promise<Store> => {
    const store = openSqliteStore(directory);
    const sandboxes: SandboxStore = {
      ...store.sandboxes,
      async get(id) {
        if (onRead) throw onRead;
        return store.sandboxes.get(id);
      },
      async update(record) {
        if (onWrite) throw onWrite;
        const updated = await store.sandboxes.update(record);
        written(record);
        return updated;
      },
    };
    return { ...store, sandboxes };
  };
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "openshell-state-"));
    gateway = await startTestGateway({ openStore });
  });
  after(async () => {
    await gateway[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const create = async (name: string): Promise<string> => {
    const { sandbox } = await gateway.client.createSandbox({ name, spec: {} });
    return sandbox?.metadata?.id ?? "";
  };
  const supervisorOf = async (sandboxId: string): Promise<number> => {
    for await (const { payload } of gateway.client.execSandbox({ sandboxId, command: ["sh", "-c", "echo $PPID"] })) {
      if (payload.case === "stdout") return Number(Buffer.from(payload.value.data).toString());
    }
    throw new Error("the supervisor said nothing");
  };
  const said = async (words: RegExp) => {
    for (const end = Date.now() + PATIENCE_MS; !gateway.log.some((line) => words.test(line)); await delay(10)) {
      assert.ok(Date.now() < end, `the gateway has not said ${words}`);
    }
  };
  const within = () => ({ signal: AbortSignal.timeout(PATIENCE_MS) });
  const comesBack = async (id: string, formerly: number) => {
    for await (const { payload } of gateway.client.watchSandbox({ id, followStatus: true }, within())) {
      if (payload.case !== "sandbox" || payload.value.status?.phase !== SandboxPhase.READY) continue;
      if ((await supervisorOf(id)) !== formerly) return;
    }
  };

  it("while the disk is full is brought back once there is room", async () => {
    const id = await create("crowded");
    const supervisor = await supervisorOf(id);
    onWrite = full;
    process.kill(supervisor, "SIGKILL");
    await said(new RegExp(`the end of sandbox ${id}: .*full`));
    onWrite = undefined;
    await comesBack(id, supervisor);
  });

  it("by itself, because its time is over, is stopped once there is room", async () => {
    onWrite = undefined;
    const { sandbox } = await gateway.client.createSandbox({ name: "idle", spec: { lifetime: { maxSeconds: 1 } } });
    const id = sandbox?.metadata?.id ?? "";
    written = ({ status }) => {
      if (status.phase === SandboxPhase.READY) onWrite = full;
    };
    await said(/the end of sandbox idle: .*full/);
    written = () => {};
    onWrite = undefined;
    for await (const { payload } of gateway.client.watchSandbox({ id, followStatus: true }, within())) {
      if (payload.case === "sandbox" && payload.value.status?.phase === SandboxPhase.STOPPED) return;
    }
  });

  it("just before the database goes away is brought back once it is there again", async () => {
    const id = await create("orphan");
    const supervisor = await supervisorOf(id);
    written = (record) => {
      if (record.id !== id || record.supervisor !== undefined) return;
      onRead = refused;
      onWrite = refused;
    };
    process.kill(supervisor, "SIGKILL");
    await said(new RegExp(`sandbox ${id} could not be brought back: .*ECONNREFUSED`));
    written = () => {};
    onRead = undefined;
    onWrite = undefined;
    await comesBack(id, supervisor);
  });
});
