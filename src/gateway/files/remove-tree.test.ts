import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { removeTree } from "./sandbox-directories.ts";

/** A uid that nobody has. */
const SOMEBODY = 54_321;

describe("removing a sandbox's directory", () => {
  let base: string;
  before(() => {
    base = mkdtempSync(join(tmpdir(), "openshell-trees-"));
    chmodSync(base, 0o777);
  });
  after(() => {
    rmSync(base, { recursive: true });
  });

  it("takes everything, and nothing that links lead to", async () => {
    const outside = join(base, "outside");
    writeFileSync(outside, "stays");
    const tree = join(base, "tree");
    mkdirSync(join(tree, "home", "deep"), { recursive: true });
    symlinkSync(outside, join(tree, "home", "file"));
    symlinkSync(base, join(tree, "home", "directory"));
    await removeTree(tree);
    assert.ok(!existsSync(tree));
    assert.ok(existsSync(outside));
  });

  it("is not stopped by directories without rights, also for an ordinary user", async () => {
    const tree = join(base, "locked");
    for (let count = 0; count < 20; count += 1) {
      const locked = join(tree, `d${count}`, "inner");
      mkdirSync(locked, { recursive: true });
      writeFileSync(join(locked, "f"), "");
      chmodSync(locked, 0);
      chmodSync(join(tree, `d${count}`), 0o500);
    }
    // Rights do not stop root, so root becomes somebody else for this.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) execFileSync("chown", ["-R", `${SOMEBODY}:${SOMEBODY}`, tree]);
    if (isRoot) process.seteuid?.(SOMEBODY);
    try {
      await removeTree(tree);
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
    assert.ok(!existsSync(tree));
  });
});
