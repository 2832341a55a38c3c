import assert from "node:assert/strict";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import { applyChange, NotApplied } from "./apply.ts";
import { type FileState, readState } from "./file-state.ts";
import { Folder } from "./folder.ts";

/** Told from one thread to another. */
const stop = new Int32Array(new SharedArrayBuffer(4));

describe("a change that is applied to a folder", () => {
  let base: string;
  let root: string;

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), "openshell-apply-"));
    root = join(base, "root");
    mkdirSync(join(root, "src"), { recursive: true });
    mkdirSync(join(base, "outside"));
    writeFileSync(join(root, "file"), "old");
    writeFileSync(join(base, "outside", "file"), "outside");
  });
  afterEach(() => rmSync(base, { recursive: true }));

  const file = (text: string, mode = 0o100644): FileState => ({
    kind: "file",
    mode,
    size: text.length,
    mtimeNs: 1n,
    inode: 1n,
    linkTarget: "",
  });
  const link = (linkTarget: string): FileState => ({ ...file("", 0o120777), kind: "link", linkTarget });

  async function stateOf(name: string): Promise<FileState | undefined> {
    await using folder = await Folder.at(root);
    return await readState(folder, name);
  }

  async function apply(
    path: string,
    { before, after, text = "" }: { before?: FileState | undefined; after?: FileState; text?: string },
  ): Promise<void> {
    await using folder = await Folder.at(root);
    async function* contents(): AsyncGenerator<Buffer> {
      for (let at = 0; at < text.length; at += 1_000) yield Buffer.from(text.slice(at, at + 1_000));
    }
    await applyChange(folder, { path, before, after }, contents());
  }

  it("replaces a file, with its permissions and no more of its mode", async () => {
    await apply("file", { before: await stateOf("file"), after: file("new", 0o106755), text: "new" });
    assert.equal(readFileSync(join(root, "file"), "utf8"), "new");
    assert.equal(statSync(join(root, "file")).mode & 0o7777, 0o755);
    assert.deepEqual(readdirSync(root), ["file", "src"]);
  });

  it("makes what is new, folders around it too, and removes what is gone", async () => {
    await apply("a/b/new", { after: file("new"), text: "new" });
    assert.equal(readFileSync(join(root, "a", "b", "new"), "utf8"), "new");
    await apply("a/link", { after: link("b/new") });
    assert.equal(readlinkSync(join(root, "a", "link")), "b/new");
    await apply("file", { before: await stateOf("file") });
    assert.ok(!existsSync(join(root, "file")));
  });

  it("leaves a file as it is that has changed since, that came since, or of which not all arrived", async () => {
    const before = await stateOf("file");
    writeFileSync(join(root, "file"), "another");
    await assert.rejects(apply("file", { before, after: file("new"), text: "new" }), NotApplied);
    await assert.rejects(apply("file", { after: file("new"), text: "new" }), NotApplied);
    const half = apply("file", { before: await stateOf("file"), after: file("longer"), text: "half" });
    await assert.rejects(half, NotApplied);
    assert.equal(readFileSync(join(root, "file"), "utf8"), "another");
    assert.deepEqual(readdirSync(root), ["file", "src"]);
  });

  it("is written through no link, whoever put it there", async () => {
    symlinkSync(join(base, "outside"), join(root, "way"));
    symlinkSync(join(base, "outside", "file"), join(root, "target"));
    await assert.rejects(apply("way/file", { after: file("new"), text: "new" }), NotApplied);
    await assert.rejects(apply("way/more/file", { after: file("new"), text: "new" }), NotApplied);
    await apply("target", { before: await stateOf("target"), after: file("new"), text: "new" });
    assert.ok(lstatSync(join(root, "target")).isFile());
    assert.deepEqual(readdirSync(join(base, "outside")), ["file"]);
    assert.equal(readFileSync(join(base, "outside", "file"), "utf8"), "outside");
  });

  it("is written through no link that is put in a folder's place while it is applied", async () => {
    const swapper = new Worker(
      `const { renameSync, rmSync, symlinkSync, unlinkSync } = require("node:fs");
      const { root, outside, stop } = require("node:worker_threads").workerData;
      const [place, aside] = [root + "/src", root + "/aside"];
      while (Atomics.load(stop, 0) === 0) {
        try {
          renameSync(place, aside);
          symlinkSync(outside, place);
          unlinkSync(place);
          renameSync(aside, place);
        } catch {
          // What is applied has made the folder where it was missing.
          try {
            rmSync(place, { recursive: true, force: true });
          } catch {}
        }
      }`,
      { eval: true, workerData: { root, outside: join(base, "outside"), stop } },
    );
    let applied = 0;
    for (let turn = 0; turn < 300; turn += 1) {
      await apply(`src/made-${turn}`, { after: file("new"), text: "new" }).then(
        () => (applied += 1),
        () => undefined,
      );
    }
    Atomics.store(stop, 0, 1);
    await once(swapper, "exit");
    assert.deepEqual(readdirSync(join(base, "outside")), ["file"]);
    assert.ok(applied > 0);
  });

  it("leads nowhere else, by no name and by no link", async () => {
    for (const path of ["../file", "src/../../file", "/file", "src//file", "."]) {
      await assert.rejects(apply(path, { after: file("new"), text: "new" }), NotApplied, path);
    }
    for (const target of ["/etc/passwd", "..", "src/../../outside"]) {
      await assert.rejects(apply("link", { after: link(target) }), NotApplied, target);
    }
    assert.deepEqual(readdirSync(base).sort(), ["outside", "root"]);
  });

  it("takes no room for zeros, of which a sandbox can have more than the disk", async () => {
    const text = `${"\0".repeat(1_000_000)}end`;
    await apply("sparse", { after: file(text), text });
    const { size, blocks } = statSync(join(root, "sparse"));
    assert.equal(size, text.length);
    assert.ok(blocks * 512 < 100_000, `${blocks} blocks`);
  });

  it("keeps a folder that is not empty", async () => {
    chmodSync(join(root, "src"), 0o755);
    writeFileSync(join(root, "src", "kept"), "");
    await assert.rejects(apply("src", { before: await stateOf("src") }), NotApplied);
    assert.deepEqual(readdirSync(join(root, "src")), ["kept"]);
  });
});
