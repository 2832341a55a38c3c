import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SshSessionRecord, SshSessionStore } from "../store/ssh-session-store.ts";
import { SshSessions } from "./ssh-sessions.ts";

const day = 24 * 3_600_000;

function inMemory(): SshSessionStore {
  const records = new Map<string, SshSessionRecord>();
  return {
    create: async (record) => void records.set(record.id, record),
    get: async (id) => records.get(id),
    list: async () => [...records.values()],
    async revoke(id) {
      const record = records.get(id);
      if (record) records.set(id, { ...record, revoked: true });
      return record !== undefined;
    },
  };
}

describe("an SSH session", () => {
  const refused = /unknown, has expired or was revoked/;

  it("lets the bearer of its token into its sandbox, and nobody into another", async () => {
    const sessions = new SshSessions(inMemory(), () => 0);
    const { token, record } = await sessions.create({ sandboxId: "a", user: "somebody" });
    assert.equal((await sessions.authorise(token, "a")).user, "somebody");
    await assert.rejects(sessions.authorise(token, "b"), refused);
    const other = (await sessions.create({ sandboxId: "a", user: "other" })).token;
    const forged = [`${record.id}.${other.split(".")[1]}`, `${record.id}.`, record.id, "", `${token}x`];
    for (const wrong of forged) await assert.rejects(sessions.authorise(wrong, "a"), refused);
  });

  it("is kept without its token", async () => {
    const store = inMemory();
    const { token } = await new SshSessions(store, () => 0).create({ sandboxId: "a", user: "somebody" });
    const [, secret = ""] = token.split(".");
    assert.ok(!JSON.stringify(await store.list()).includes(secret));
  });

  it("ends after a day, or when it is revoked", async () => {
    let now = 0;
    const sessions = new SshSessions(inMemory(), () => now);
    const { token } = await sessions.create({ sandboxId: "a", user: "somebody" });
    now = day - 1;
    await sessions.authorise(token, "a");
    now = day;
    await assert.rejects(sessions.authorise(token, "a"), refused);
    // Who is connected already stays so.
    await sessions.authorise(token, "a", { isContinued: true });
    const { token: next, record } = await sessions.create({ sandboxId: "a", user: "somebody" });
    assert.equal(await sessions.revoke(record.id), true);
    for (const isContinued of [false, true]) {
      await assert.rejects(sessions.authorise(next, "a", { isContinued }), refused);
    }
  });
});
