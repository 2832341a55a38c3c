import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Change, obstacle } from "./changes.ts";
import type { FileState } from "./file-state.ts";
import { isGuarded, withoutGit } from "./git-internals.ts";

const file: FileState = { kind: "file", mode: 0o100644, size: 1, mtimeNs: 1n, inode: 1n, linkTarget: "" };

/** A new file. */
function change(path: string): Change {
  const { open } = obstacle(path, "");
  return { path, before: undefined, after: file, conflict: false, open };
}

async function* all(...paths: string[]): AsyncGenerator<Change> {
  for (const path of paths) yield change(path);
}

async function told(paths: readonly string[], wanted: readonly string[] = []): Promise<[string, boolean][]> {
  const result: [string, boolean][] = [];
  for await (const { path, obstacle } of withoutGit(all(...paths), wanted)) result.push([path, obstacle === undefined]);
  return result;
}

describe("a repository's own files", () => {
  it("are guarded where git runs programs by them, or looks elsewhere", () => {
    for (const path of [
      ".git",
      ".git/config",
      ".git/config.worktree",
      ".git/hooks/pre-commit",
      ".git/info/attributes",
      ".git/objects/info/alternates",
      ".git/modules/lib/config",
      ".git/modules/lib/hooks/post-checkout",
      ".git/worktrees/x/gitdir",
      ".git/commondir",
      "vendor/lib/.git/config",
      ".GIT/hooks/pre-commit",
    ]) {
      assert.ok(isGuarded(change(path)), path);
    }
  });

  it("are data otherwise", () => {
    for (const path of [
      ".git/HEAD",
      ".git/index",
      ".git/refs/heads/main",
      ".git/objects/ab/cdef",
      ".git/objects/pack/x",
    ]) {
      assert.ok(!isGuarded(change(path)), path);
    }
    assert.ok(!isGuarded(change("src/.gitignore")));
    assert.ok(!isGuarded(change("hooks/pre-commit")));
  });

  it("stay out of a review, counted, and those that are guarded by name", async () => {
    assert.deepEqual(await told([".git/config", ".git/index", ".git/HEAD", "src/main.c"]), [
      [".git/config", false],
      ["src/main.c", true],
      [".git", false],
    ]);
  });

  it("are in it if they are asked for", async () => {
    assert.deepEqual(await told([".git/config", ".git/index"], [".git/config"]), [
      [".git/config", true],
      [".git", false],
    ]);
  });
});
