import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { storageFailure } from "./storage-failure.ts";

function thrown(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return assert.fail("nothing was thrown");
}

describe("a disk that takes nothing", () => {
  it("is called full, by SQLite and by a file", () => {
    const database = new DatabaseSync(":memory:");
    database.exec("CREATE TABLE a (x); PRAGMA max_page_count = 3");
    const fill = () => database.exec("INSERT INTO a VALUES (randomblob(1000000))");
    for (const error of [thrown(fill), thrown(() => writeFileSync("/dev/full", "x"))]) {
      assert.equal(storageFailure(error)?.code, Code.ResourceExhausted);
      assert.match(storageFailure(error)?.rawMessage ?? "", /disk is full: nothing was changed/);
    }
  });

  it("is called read-only where it is", () => {
    const directory = mkdtempSync(join(tmpdir(), "openshell-storage-"));
    const path = join(directory, "a.db");
    new DatabaseSync(path).close();
    const database = new DatabaseSync(path, { readOnly: true });
    assert.match(storageFailure(thrown(() => database.exec("CREATE TABLE a (x)")))?.rawMessage ?? "", /read-only/);
    rmSync(directory, { recursive: true });
  });

  it("is not blamed for anything else", () => {
    const database = new DatabaseSync(":memory:");
    for (const error of [thrown(() => database.exec("SELECT * FROM absent")), new Error("x"), undefined, "ENOSPC"]) {
      assert.equal(storageFailure(error), undefined);
    }
  });
});
