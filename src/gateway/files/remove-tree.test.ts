import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { removeTree } from "./remove-tree.ts";

describe("removing a sandbox's directory", () => {
  let base: string;
  before(() => {
    base = mkdtempSync(join(tmpdir(), "openshell-trees-"));
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

  it("goes as deep as a program has nested them", async () => {
    const tree = join(base, "deep");
    mkdirSync(tree);
    // No path is as long as this is deep, so it is made step by step.
    const nest = "for (let i = 0; i < 1000; i++) { fs.mkdirSync('nested'); process.chdir('nested'); }";
    execFileSync(process.execPath, ["-e", nest], { cwd: tree });
    await removeTree(tree);
    assert.ok(!existsSync(tree));
  });
});
