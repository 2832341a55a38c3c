import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { backUpGateway, restoreGateway } from "./backup.ts";

describe("a backup of the gateway's state", () => {
  let base: string;
  const at = (...names: string[]) => join(base, ...names);
  /** A state with one row, still in the write-ahead log of a database that is open, as a running gateway's is. */
  const writeState = (row: string): DatabaseSync => {
    mkdirSync(at("state", "certificates"), { recursive: true });
    writeFileSync(at("state", "secrets.key"), "the key\n");
    writeFileSync(at("state", "certificates", "ca.key"), "the authority\n");
    const database = new DatabaseSync(at("state", "state.db"));
    database.exec("PRAGMA journal_mode = WAL; CREATE TABLE notes (text)");
    database.prepare("INSERT INTO notes VALUES (?)").run(row);
    return database;
  };
  const notes = () => {
    using database = new DatabaseSync(at("state", "state.db"));
    return database
      .prepare("SELECT text FROM notes")
      .all()
      .map(({ text }) => text);
  };
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), "openshell-backup-"));
  });
  afterEach(() => rmSync(base, { recursive: true }));

  it("holds what a gateway that runs has committed, and its keys, for its owner alone", () => {
    using _running = writeState("kept");
    backUpGateway(at("state"), at("backup"));
    assert.equal(statSync(at("backup")).mode & 0o777, 0o600);
    rmSync(at("state"), { recursive: true });
    restoreGateway(at("backup"), at("state"), { force: false });
    assert.deepEqual(notes(), ["kept"]);
    assert.equal(readFileSync(at("state", "secrets.key"), "utf8"), "the key\n");
    assert.equal(readFileSync(at("state", "certificates", "ca.key"), "utf8"), "the authority\n");
    for (const name of ["state.db", "secrets.key", join("certificates", "ca.key")]) {
      assert.equal(statSync(at("state", name)).mode & 0o777, 0o600, name);
    }
    using restored = new DatabaseSync(at("state", "state.db"));
    const tables = restored.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    assert.deepEqual(
      tables.map(({ name }) => name),
      ["notes"],
    );
  });

  it("of a newer version takes the place of nothing", () => {
    using _running = writeState("kept");
    backUpGateway(at("state"), at("backup"));
    using backup = new DatabaseSync(at("backup"));
    backup.exec("PRAGMA user_version = 1000");
    backup.close();
    assert.throws(
      () => restoreGateway(at("backup"), at("state"), { force: true }),
      /schema 1000.*use a newer openshell/,
    );
    assert.deepEqual(notes(), ["kept"]);
  });

  it("replaces a state only when that is said", () => {
    writeState("old").close();
    backUpGateway(at("state"), at("backup"));
    using changed = new DatabaseSync(at("state", "state.db"));
    changed.exec("UPDATE notes SET text = 'new'");
    changed.close();
    assert.throws(() => restoreGateway(at("backup"), at("state"), { force: false }), /holds a gateway's state already/);
    assert.deepEqual(notes(), ["new"]);
    restoreGateway(at("backup"), at("state"), { force: true });
    assert.deepEqual(notes(), ["old"]);
  });

  it("overwrites no file", () => {
    writeState("row").close();
    writeFileSync(at("backup"), "precious");
    assert.throws(() => backUpGateway(at("state"), at("backup")), /exists already/);
    assert.equal(readFileSync(at("backup"), "utf8"), "precious");
  });

  it("that is damaged, or none, or would write elsewhere, changes nothing", () => {
    writeState("safe").close();
    backUpGateway(at("state"), at("backup"));
    using hostile = new DatabaseSync(at("backup"));
    hostile.exec("INSERT INTO backup_files VALUES ('certificates/../../escaped', x'00')");
    hostile.close();
    assert.throws(() => restoreGateway(at("backup"), at("state"), { force: true }), /none of a gateway's/);
    assert.ok(!existsSync(at("escaped")));
    writeFileSync(at("text"), "no database at all, but long enough to be looked at ".repeat(50));
    assert.throws(() => restoreGateway(at("text"), at("state"), { force: true }), /was not restored: .*not a database/);
    assert.throws(() => restoreGateway(at("state", "state.db"), at("state"), { force: true }), /not a backup/);
    assert.throws(() => restoreGateway(at("absent"), at("state"), { force: true }), /no such file/);
    assert.deepEqual(notes(), ["safe"]);
    assert.ok(!existsSync(at("state", "state.db.restored")));
  });
});
