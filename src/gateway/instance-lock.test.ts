import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { takeInstanceLock } from "./instance-lock.ts";

it("the lock of a state directory is one gateway's at a time", () => {
  const directory = mkdtempSync(join(tmpdir(), "openshell-lock-"));
  const lock = takeInstanceLock(directory);
  assert.ok(lock);
  assert.equal(takeInstanceLock(directory), undefined);
  lock[Symbol.dispose]();
  const next = takeInstanceLock(directory);
  assert.ok(next);
  next[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});
