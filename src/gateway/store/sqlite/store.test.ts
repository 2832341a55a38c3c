import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { STATE_SCHEMA } from "../../../state-schema.ts";
import { storeContract } from "../store-contract.ts";
import { inTransaction } from "./database.ts";
import { migrate } from "./migrate.ts";
import { stateMigrations } from "./migrations.ts";
import { openSqliteStore } from "./store.ts";

storeContract("the SQLite store", async () => {
  const directory = mkdtempSync(join(tmpdir(), "openshell-store-"));
  return { open: async () => openSqliteStore(directory), destroy: async () => rmSync(directory, { recursive: true }) };
});

describe("a wrapped key that was replaced", () => {
  it("is in no file any more, while the gateway runs", async () => {
    const directory = mkdtempSync(join(tmpdir(), "openshell-store-"));
    const store = openSqliteStore(directory);
    const holding = (key: string) =>
      readdirSync(directory).filter((name) => readFileSync(join(directory, name)).includes(key));
    await store.wrappedKey.create(Buffer.from("the first wrapped key"));
    await store.wrappedKey.replace(Buffer.from("another wrapped key, longer than that"));
    assert.deepEqual(holding("another wrapped key"), ["state.db"]);
    assert.deepEqual(holding("the first"), []);
    // While somebody reads, what was there before can't be taken away: whoever rotates must know.
    const reader = new DatabaseSync(join(directory, "state.db"));
    reader.exec("BEGIN; SELECT * FROM data_key");
    await assert.rejects(store.wrappedKey.replace(Buffer.from("third")), /keeps the old key: try again/);
    reader.close();
    await store.wrappedKey.replace(Buffer.from("fourth"));
    assert.deepEqual(holding("another wrapped key"), []);
    await store.close();
    rmSync(directory, { recursive: true });
  });
});

describe("a transaction", () => {
  it("that SQLite has rolled back by itself, as for a full disk, fails for the reason that it had", () => {
    const database = new DatabaseSync(":memory:");
    migrate(database, ["CREATE TABLE a (x UNIQUE)"]);
    const repeat = () => inTransaction(database, () => database.exec("INSERT OR ROLLBACK INTO a VALUES (1), (1)"));
    assert.throws(repeat, /UNIQUE constraint failed/);
    inTransaction(database, () => database.exec("INSERT INTO a VALUES (2)"));
    assert.equal(database.prepare("SELECT count(*) AS n FROM a").get()?.["n"], 1);
  });
});

describe("a database's schema", () => {
  it("is brought up to date step by step, each step once", () => {
    const database = new DatabaseSync(":memory:");
    migrate(database, ["CREATE TABLE a (x)"]);
    migrate(database, ["CREATE TABLE a (x)", "CREATE TABLE b (x)"]);
    assert.equal(database.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"], 2);
  });

  it("is known to the CLI, which restores backups", () => {
    assert.equal(STATE_SCHEMA, stateMigrations.length);
  });

  it("is left alone when it is newer than the program", () => {
    const database = new DatabaseSync(":memory:");
    migrate(database, ["CREATE TABLE a (x)", "CREATE TABLE b (x)"]);
    assert.throws(() => migrate(database, ["CREATE TABLE a (x)"]), /newer openshell/);
  });
});

describe("a state directory", () => {
  const withDirectory = (act: (directory: string) => void) => {
    const directory = mkdtempSync(join(tmpdir(), "openshell-store-"));
    try {
      act(directory);
    } finally {
      rmSync(directory, { recursive: true });
    }
  };

  it("whose database is damaged is refused, with what helps, and not touched", () => {
    withDirectory((directory) => {
      const path = join(directory, "state.db");
      for (const content of [
        "this is no database, however long it may be; ".repeat(20),
        "SQLite format 3\0garbage".padEnd(4096, "?"),
      ]) {
        writeFileSync(path, content);
        assert.throws(() => openSqliteStore(directory), /damaged .*gateway restore FILE --force.*gateway destroy/);
        assert.equal(readFileSync(path, "utf8"), content);
      }
    });
  });

  it("of a newer program is refused, with what helps, and not touched", () => {
    withDirectory((directory) => {
      void openSqliteStore(directory).close();
      const path = join(directory, "state.db");
      const newer = new DatabaseSync(path);
      newer.exec("PRAGMA user_version = 9999; PRAGMA wal_checkpoint(TRUNCATE)");
      newer.close();
      const before = readFileSync(path);
      assert.throws(() => openSqliteStore(directory), /schema 9999.*use a newer openshell/);
      assert.deepEqual(readFileSync(path), before);
    });
  });
});
