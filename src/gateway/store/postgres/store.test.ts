import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { SandboxLogLineSchema } from "../../../gen/openshell/v1/watch_pb.ts";
import { DatabaseTooNew } from "../database-refused.ts";
import type { Store } from "../store.ts";
import { record, revision, storeContract } from "../store-contract.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "../test-support/postgres-server.ts";
import { openPostgres } from "./database.ts";
import { openPostgresStore } from "./store.ts";

/** These tests are of the store, whoever leads. */
const alone = { admit: async () => {}, onLost: () => {} };

describe("with PostgreSQL", { skip: postgresMissing() }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
  });

  storeContract("the PostgreSQL store", async () => {
    const url = await server.createDatabase();
    return { open: () => openPostgresStore(url, alone), destroy: async () => {} };
  });

  describe("two gateways that share a database", () => {
    const withTwo = async (act: (one: Store, other: Store) => Promise<void>) => {
      const url = await server.createDatabase();
      const [one, other] = await Promise.all([openPostgresStore(url, alone), openPostgresStore(url, alone)]);
      try {
        await act(one, other);
      } finally {
        await Promise.all([one.close(), other.close()]);
      }
    };

    it("make its tables once, and one key, though they start at the same moment", async () => {
      await withTwo(async (one, other) => {
        const kept = await Promise.all([
          one.wrappedKey.create(Uint8Array.of(1)),
          other.wrappedKey.create(Uint8Array.of(2)),
        ]);
        assert.deepEqual(kept[0], kept[1]);
      });
    });

    it("give a name once", async () => {
      await withTwo(async (one, other) => {
        const created = await Promise.all([
          one.sandboxes.create(record("a", "box"), revision("h")),
          other.sandboxes.create(record("b", "box"), revision("h")),
        ]);
        assert.deepEqual(created.toSorted(), [false, true]);
      });
    });

    it("number revisions without gaps and twins", async () => {
      await withTwo(async (one, other) => {
        await one.sandboxes.create(record("a", "box"), revision("h"));
        const stores = Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? one : other));
        const versions = await Promise.all(stores.map(({ policies }) => policies.append("a", revision("next"))));
        assert.deepEqual(
          versions.toSorted((a, b) => a - b),
          Array.from({ length: 20 }, (_, at) => at + 2),
        );
      });
    });

    it("never change what the other has changed meanwhile", async () => {
      await withTwo(async (one, other) => {
        const first = record("a", "box");
        await one.sandboxes.create(first, revision("h"));
        const updates = await Promise.all([
          one.sandboxes.update({ ...first, labels: { by: "one" } }),
          other.sandboxes.update({ ...first, labels: { by: "other" } }),
        ]);
        assert.equal(updates.filter((update) => update !== undefined).length, 1);
      });
    });

    it("keep each log line once, and put what leaves in one row without gaps", async () => {
      await withTwo(async (one, other) => {
        await one.sandboxes.create(record("a", "box"), revision("h"));
        await one.outbox.register(["siem"]);
        const outgoing = () => ({ sandboxName: "box", json: "{}", isForOwnFile: false });
        const line = (sequence: number) =>
          create(SandboxLogLineSchema, { sequence: BigInt(sequence), source: "sandbox", level: "INFO" });
        const batches = Array.from({ length: 10 }, (_, at) => [line(2 * at + 1), line(2 * at + 2)]);
        const added = await Promise.all(
          batches.flatMap((batch) => [one.logs.append("a", batch, outgoing), other.logs.append("a", batch, outgoing)]),
        );
        assert.equal(added.flat().length, 20);
        assert.deepEqual(
          (await other.outbox.after(0, 100)).map(({ position }) => position),
          Array.from({ length: 20 }, (_, at) => at + 1),
        );
      });
    });
  });

  describe("a gateway", () => {
    it("goes on with a server that crashed and came back, and lost nothing that was acknowledged", async () => {
      const lost: Error[] = [];
      const store = await openPostgresStore(await server.createDatabase(), {
        ...alone,
        onLost: (error) => lost.push(error),
      });
      await store.sandboxes.create(record("a", "box"), revision("h"));
      await server.crash();
      assert.equal((await store.sandboxes.get("a"))?.name, "box");
      assert.ok(lost.length > 0, "nobody was told of the connection that broke");
      await store.close();
    });

    it("refuses a database of a newer program, and leaves it as it is", async () => {
      const url = await server.createDatabase();
      const database = await openPostgres(url, alone);
      await database.changes("UPDATE schema_version SET version = 9999");
      await assert.rejects(openPostgresStore(url, alone), DatabaseTooNew);
      assert.deepEqual(await database.rows("SELECT version FROM schema_version"), [{ version: 9999 }]);
      await database.close();
    });

    it("says so when there is no server", async () => {
      await assert.rejects(openPostgresStore("postgres://openshell@127.0.0.1:1/none", alone), /ECONNREFUSED/);
    });
  });
});
