/** What every store must do. Each implementation's test calls it with a way to make an empty one, and to reopen it. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { SandboxPolicySchema } from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { DraftHistoryEntrySchema, PolicyChunkSchema } from "../../gen/openshell/v1/advisor_pb.ts";
import { PolicyStatus } from "../../gen/openshell/v1/policy_pb.ts";
import { SandboxPhase, SandboxSpecSchema, SandboxStatusSchema } from "../../gen/openshell/v1/sandbox_pb.ts";
import { SandboxLogLineSchema } from "../../gen/openshell/v1/watch_pb.ts";
import { verifyChain } from "../../ocsf/chain.ts";
import type { SshSessionRecord } from "./ssh-session-store.ts";
import { type NewPolicyRevision, SandboxGone, type SandboxRecord, type Store } from "./store.ts";

export interface StoreUnderTest {
  open(): Promise<Store>;
  /** Removes what it kept. */
  destroy(): Promise<void>;
}

export function record(id: string, name: string, more: Partial<SandboxRecord> = {}): SandboxRecord {
  return {
    id,
    workspace: "default",
    name,
    createdAtMs: 1,
    labels: {},
    annotations: {},
    resourceVersion: 1,
    desired: "running",
    spec: create(SandboxSpecSchema, { environment: { A: "b" } }),
    status: create(SandboxStatusSchema, { phase: SandboxPhase.PROVISIONING }),
    tokenHash: Uint8Array.of(1, 2, 3),
    ...more,
  };
}

function session(id: string, sandboxId: string): SshSessionRecord {
  const tokenHash = Uint8Array.of(4, 5, 6);
  return { id, sandboxId, user: "somebody", tokenHash, createdAtMs: 1, expiresAtMs: 100, revoked: false };
}

export function revision(hash: string): NewPolicyRevision {
  return { policy: create(SandboxPolicySchema, { version: 1 }), hash, createdAtMs: 1, provenance: { source: "test" } };
}

function line(sequence: number, level = "INFO") {
  const message = `line ${sequence}`;
  return create(SandboxLogLineSchema, {
    sequence: BigInt(sequence),
    timestampMs: BigInt(sequence * 10),
    level,
    source: "sandbox",
    message,
  });
}

const everything = { sandboxId: "a", lines: 100, sinceMs: 0, sources: [], levels: [] };

export function storeContract(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`${name}: sandboxes`, () => {
    let tested: StoreUnderTest;
    let store: Store;
    beforeEach(async () => {
      tested = await make();
      store = await tested.open();
    });
    afterEach(async () => {
      await store.close();
      await tested.destroy();
    });

    it("are there after the store was closed and opened", async () => {
      const supervisor = { pid: 1, startTime: "2", instanceId: "i" };
      const full = record("a", "one", { hostUid: 200_001, supervisor, labels: { team: "blue" } });
      assert.equal(await store.sandboxes.create(full, revision("h")), true);
      await store.close();
      store = await tested.open();
      assert.deepEqual(await store.sandboxes.get("a"), full);
      assert.deepEqual(await store.sandboxes.getByName("default", "one"), full);
      assert.equal((await store.policies.effective("a"))?.hash, "h");
    });

    it("have names of their own, and a refused one leaves nothing", async () => {
      await store.sandboxes.create(record("a", "one"), revision("h"));
      assert.equal(await store.sandboxes.create(record("b", "one"), revision("h")), false);
      assert.equal(await store.sandboxes.get("b"), undefined);
      assert.equal(await store.policies.effective("b"), undefined);
    });

    it("are changed only by who has seen the last change", async () => {
      const first = record("a", "one");
      await store.sandboxes.create(first, revision("h"));
      const second = await store.sandboxes.update({ ...first, desired: "stopped" });
      assert.equal(second?.resourceVersion, 2);
      assert.equal(await store.sandboxes.update({ ...first, desired: "deleted" }), undefined);
      assert.equal((await store.sandboxes.get("a"))?.desired, "stopped");
    });

    it("may get another uid, or none", async () => {
      await store.sandboxes.create(record("a", "one", { hostUid: 200_001 }), revision("h"));
      await store.sandboxes.update(record("a", "one", { hostUid: 200_002 }));
      assert.equal((await store.sandboxes.get("a"))?.hostUid, 200_002);
      await store.sandboxes.update(record("a", "one", { resourceVersion: 2 }));
      assert.equal((await store.sandboxes.get("a"))?.hostUid, undefined);
    });

    it("are listed by age, in pages, by label", async () => {
      for (const [at, id] of ["c", "a", "b"].entries()) {
        const labels = { even: String(at % 2 === 0) };
        await store.sandboxes.create(record(id, id, { createdAtMs: at, labels }), revision("h"));
      }
      const list = async (limit: number, offset: number, labels = new Map<string, string>()) =>
        (await store.sandboxes.list({ workspace: "default", limit, offset, labels })).map(({ id }) => id);
      assert.deepEqual(await list(10, 0), ["c", "a", "b"]);
      assert.deepEqual(await list(1, 1), ["a"]);
      assert.deepEqual(await list(10, 0, new Map([["even", "true"]])), ["c", "b"]);
    });

    it("take their policies, their proposals, their SSH sessions and their log with them", async () => {
      await store.sandboxes.create(record("a", "one"), revision("h"));
      await store.logs.append("a", [line(1)]);
      const entry = create(DraftHistoryEntrySchema, { eventType: "submitted" });
      await store.proposals.save("a", [create(PolicyChunkSchema, { id: "p", ruleName: "api" })], [entry]);
      assert.equal((await store.proposals.get("a", "p"))?.ruleName, "api");
      await store.sshSessions.create(session("s", "a"), { revokedBeforeMs: 0, allBeforeMs: 0 });
      await store.sandboxes.remove("a");
      assert.deepEqual(await store.sshSessions.list(), []);
      assert.equal(await store.policies.effective("a"), undefined);
      assert.deepEqual([await store.proposals.list("a"), await store.proposals.history("a")], [[], []]);
      assert.equal(await store.logs.count("a"), 0);
    });
  });

  describe(`${name}: SSH sessions`, () => {
    let tested: StoreUnderTest;
    let store: Store;
    beforeEach(async () => {
      tested = await make();
      store = await tested.open();
      for (const id of ["a", "b"]) await store.sandboxes.create(record(id, id), revision("h"));
    });
    afterEach(async () => {
      await store.close();
      await tested.destroy();
    });

    it("are kept over a restart as they were, and as revoked once they are", async () => {
      await store.sshSessions.create(session("s", "a"), { revokedBeforeMs: 0, allBeforeMs: 0 });
      await store.close();
      store = await tested.open();
      assert.deepEqual(await store.sshSessions.get("s"), session("s", "a"));
      assert.equal(await store.sshSessions.revoke("s"), true);
      assert.equal((await store.sshSessions.get("s"))?.revoked, true);
      assert.equal(await store.sshSessions.revoke("t"), false);
    });

    it("are listed newest first, of one sandbox or of all, and forgotten some time after their end", async () => {
      const forgotten = { revokedBeforeMs: 15, allBeforeMs: 5 };
      await store.sshSessions.create({ ...session("old", "a"), createdAtMs: 1, expiresAtMs: 10 }, forgotten);
      await store.sshSessions.create({ ...session("new", "a"), createdAtMs: 2 }, forgotten);
      await store.sshSessions.create({ ...session("other", "b"), createdAtMs: 3 }, forgotten);
      const ids = async (sandboxId?: string) => (await store.sshSessions.list(sandboxId)).map(({ id }) => id);
      assert.deepEqual(
        [await ids("a"), await ids()],
        [
          ["new", "old"],
          ["other", "new", "old"],
        ],
      );
      await store.sshSessions.revoke("old");
      await store.sshSessions.create({ ...session("next", "a"), createdAtMs: 4, expiresAtMs: 10 }, forgotten);
      assert.deepEqual(await ids("a"), ["next", "new"]);
      await store.sshSessions.create({ ...session("last", "b"), createdAtMs: 5 }, { ...forgotten, allBeforeMs: 11 });
      assert.deepEqual(await ids("a"), ["new"]);
    });
  });

  describe(`${name}: resources`, () => {
    let tested: StoreUnderTest;
    let store: Store;
    beforeEach(async () => {
      tested = await make();
      store = await tested.open();
    });
    afterEach(async () => {
      await store.close();
      await tested.destroy();
    });
    const resource = (resourceName: string, body: unknown) => {
      return {
        id: `id-${resourceName}`,
        workspace: "default",
        name: resourceName,
        createdAtMs: 1,
        resourceVersion: 1,
        body,
      };
    };

    it("are there after the store was closed and opened, each kind for itself", async () => {
      const github = resource("github", { type: "github" });
      assert.equal(await store.resources("provider").create(github), true);
      await store.close();
      store = await tested.open();
      assert.deepEqual(await store.resources("provider").get("default", "github"), github);
      assert.equal(await store.resources("inference_route").get("default", "github"), undefined);
    });

    it("have names of their own and are listed by name, in pages", async () => {
      const providers = store.resources("provider");
      for (const each of ["c", "a", "b"]) await providers.create(resource(each, {}));
      assert.equal(await providers.create(resource("a", { other: true })), false);
      const page = await providers.list({ workspace: "default", limit: 2, offset: 1 });
      assert.deepEqual(
        page.map(({ name: each }) => each),
        ["b", "c"],
      );
    });

    it("are changed only by who has seen the last change, and removed once", async () => {
      const providers = store.resources("provider");
      const first = resource("a", { turn: 1 });
      await providers.create(first);
      assert.equal((await providers.update({ ...first, body: { turn: 2 } }))?.resourceVersion, 2);
      assert.equal(await providers.update({ ...first, body: { turn: 3 } }), undefined);
      assert.deepEqual((await providers.get("default", "a"))?.body, { turn: 2 });
      assert.equal(await providers.remove("default", "a"), true);
      assert.equal(await providers.remove("default", "a"), false);
    });

    it("lie beside the wrapped key, of which there is one", async () => {
      assert.equal(await store.wrappedKey.read(), undefined);
      assert.deepEqual(await store.wrappedKey.create(Uint8Array.of(1)), Uint8Array.of(1));
      await store.wrappedKey.replace(Uint8Array.of(2));
      assert.deepEqual(await store.wrappedKey.read(), Uint8Array.of(2));
    });
  });

  describe(`${name}: policies and logs`, () => {
    let tested: StoreUnderTest;
    let store: Store;
    beforeEach(async () => {
      tested = await make();
      store = await tested.open();
      await store.sandboxes.create(record("a", "one"), revision("first"));
    });
    afterEach(async () => {
      await store.close();
      await tested.destroy();
    });

    it("supersede what was loaded before", async () => {
      await store.policies.markLoaded("a", 1, 5);
      assert.equal(await store.policies.append("a", revision("second")), 2);
      await store.policies.markLoaded("a", 2, 6);
      const statuses = (await store.policies.list("a", { limit: 10, offset: 0 })).map((found) => found.status);
      assert.deepEqual(statuses, [PolicyStatus.LOADED, PolicyStatus.SUPERSEDED]);
      assert.equal((await store.policies.get("a", 2))?.loadedAtMs, 6);
    });

    it("belong to no sandbox that there is not", async () => {
      await assert.rejects(store.policies.append("absent", revision("first")), SandboxGone);
    });

    it("fall back to the last good revision when one fails", async () => {
      await store.policies.markLoaded("a", 1, 5);
      await store.policies.append("a", revision("bad"));
      await store.policies.markFailed("a", 2, "why");
      assert.equal((await store.policies.effective("a"))?.version, 1);
      assert.equal((await store.policies.get("a", 2))?.loadError, "why");
    });

    it("keep a log line that comes twice once", async () => {
      await store.logs.append("a", [line(1), line(2)]);
      await store.logs.append("a", [line(2), line(3)]);
      assert.equal(await store.logs.cursor("a"), 3);
      const read = await store.logs.read(everything);
      assert.deepEqual(
        read.map(({ message }) => message),
        ["line 1", "line 2", "line 3"],
      );
    });

    it("say which lines are new, and sum up what calls used by the hour", async () => {
      await store.logs.append("a", [line(1)]);
      assert.deepEqual(
        (await store.logs.append("a", [line(1), line(2)])).map(({ message }) => message),
        ["line 2"],
      );
      const key = { workspace: "team", sandboxName: "one", route: "r", provider: "p", model: "m" };
      const call = { ...key, atMs: 7_200_001, isFailure: false, inputTokens: 10, outputTokens: 1 };
      await store.usage.add([call, { ...call, isFailure: true }, { ...call, atMs: 1, model: "old" }]);
      const sum = { ...key, calls: 2, failures: 1, inputTokens: 20, outputTokens: 2 };
      assert.deepEqual(await store.usage.sum("team", 7_200_000), [sum]);
      assert.equal((await store.usage.sum("team", 0)).length, 2);
      assert.deepEqual(await store.usage.sum("default", 0), []);
    });

    it("read the newest lines, by time and by level", async () => {
      await store.logs.append("a", [line(1), line(2, "HIGH"), line(3), line(4, "high")]);
      const read = async (more: Partial<typeof everything>) =>
        (await store.logs.read({ ...everything, ...more })).map(({ sequence }) => Number(sequence));
      assert.deepEqual(await read({ lines: 2 }), [3, 4]);
      assert.deepEqual(await read({ sinceMs: 30 }), [3, 4]);
    });

    it("read lines in their order, and the last ones as the newest, when the clock was set back", async () => {
      const at = (sequence: number, timestampMs: bigint) => ({ ...line(sequence), timestampMs });
      await store.logs.append("a", [at(1, 10n), at(2, 900n), at(3, 30n), at(4, 50n)]);
      const event = { time: 40, severityId: 1, shorthand: "call at 40", json: '{"time":0,"metadata":{"x":1' };
      await store.callLog.append({ sandboxId: "a", event });
      const read = async (lines: number) =>
        (await store.logs.read({ ...everything, lines })).map(({ message }) => message);
      assert.deepEqual(await read(10), ["line 1", "line 2", "line 3", "call at 40", "line 4"]);
      assert.deepEqual(await read(2), ["call at 40", "line 4"]);
    });

    it("keep the end of a log without a gap, by number and by age, whatever the clock was set to", async () => {
      // The third was written while the clock was behind.
      const lines = [line(1), line(2), { ...line(3), timestampMs: 1n }, line(4), line(5), line(6)];
      await store.logs.append("a", lines);
      const left = async () => (await store.logs.read(everything)).map(({ sequence }) => Number(sequence)).sort();
      await store.logs.trim("a", { lines: 100, sinceMs: 20 });
      assert.deepEqual(await left(), [2, 3, 4, 5, 6]);
      await store.logs.trim("a", { lines: 3, sinceMs: 0 });
      assert.deepEqual(await left(), [4, 5, 6]);
      await store.logs.trim("a", { lines: 100, sinceMs: 1_000_000 });
      assert.deepEqual(await left(), [6]);
      assert.equal(await store.logs.cursor("a"), 6);
    });

    it("number and chain what users asked of the gateway, also after it was opened again", async () => {
      const call = (sandboxId: string, time: number) => ({
        sandboxId,
        event: { time, severityId: 1, shorthand: `call at ${time}`, json: '{"time":0,"metadata":{"x":1' },
      });
      await store.callLog.append(call("a", 10));
      await store.callLog.append(call("", 20));
      const id = await store.callLog.id();
      store.close();
      store = await tested.open();
      assert.equal(await store.callLog.id(), id);
      await store.callLog.append(call("a", 30));
      await store.logs.append("a", [line(2)]);
      const messages = async (query: Partial<typeof everything> = {}) =>
        (await store.logs.read({ ...everything, ...query })).map(({ message }) => message);
      assert.deepEqual(await messages(), ["call at 10", "line 2", "call at 30"]);
      const gatewayOnly = { ...everything, sandboxId: "" };
      assert.deepEqual(await messages(gatewayOnly), ["call at 10", "call at 20", "call at 30"]);
      const kept = await store.logs.read(gatewayOnly);
      const chain = kept.map(({ fields }) => ({ line: fields["ocsf"] ?? "", place: "" }));
      assert.deepEqual(verifyChain(chain), { ok: true, checked: 3, first: 1, last: 3 });
      await store.callLog.trim({ lines: 2, sinceMs: 0 });
      assert.deepEqual(await messages(gatewayOnly), ["call at 20", "call at 30"]);
      await store.callLog.trim({ lines: 2, sinceMs: 1000 });
      assert.deepEqual(await messages(gatewayOnly), ["call at 30"]);
    });

    it("filter by level and source", async () => {
      await store.logs.append("a", [line(1), line(2, "HIGH"), line(3, "high")]);
      const high = await store.logs.read({ ...everything, levels: ["HIGH"] });
      assert.equal(high.length, 2);
      const gateways = await store.logs.read({ ...everything, sources: ["gateway"] });
      assert.equal(gateways.length, 0);
    });
  });
}
