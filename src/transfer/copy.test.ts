/** Archives packed and unpacked, good ones and hostile ones. */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import { type Pack, pack as tarPack } from "tar-stream";
import { pack } from "./pack.ts";
import { seal, unseal } from "./sealed-stream.ts";
import { openSource } from "./source.ts";
import { unpack } from "./unpack.ts";

class Folders implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), "openshell-copy-"));
  readonly from = join(this.root, "from");
  readonly to = join(this.root, "to");
  readonly leftOut: string[] = [];
  readonly listener = { packed: () => {}, leftOut: (path: string) => void this.leftOut.push(path) };

  constructor() {
    mkdirSync(this.from);
    mkdirSync(this.to);
  }

  async copy(path: string, name: string, to = this.to): Promise<void> {
    const archive = pack(await openSource(path, name), this.listener);
    await unpack(unseal(seal(archive)), { path: to, name, links: "anywhere" }, this.listener);
  }

  /** Unpacks, as from a sandbox, what a hostile program there has put together. */
  async receive(fill: (archive: Pack) => void, name = "copy"): Promise<void> {
    const archive = tarPack();
    fill(archive);
    archive.finalize();
    await unpack(archive as AsyncIterable<Uint8Array>, { path: `${this.to}/`, name, links: "inside" }, this.listener);
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}

describe("a copied folder", () => {
  it("has the links, modes, times, names and empty folders of the first", async () => {
    using folders = new Folders();
    const { from, to } = folders;
    const name = "line\nbreak ünï 日本";
    writeFileSync(join(from, name), "text");
    chmodSync(join(from, name), 0o640);
    utimesSync(join(from, name), 1, 4_200_000_000.25);
    mkdirSync(join(from, "a".repeat(200), "b".repeat(200)), { recursive: true });
    writeFileSync(join(from, "empty"), "");
    chmodSync(join(from, "empty"), 0);
    mkdirSync(join(from, "locked"));
    writeFileSync(join(from, "locked", "file"), "locked");
    chmodSync(join(from, "locked"), 0o555);
    symlinkSync("nowhere", join(from, "dangling"));
    symlinkSync("/etc", join(from, "absolute"));
    linkSync(join(from, name), join(from, "second name"));
    utimesSync(from, 1, 1_000_000_000);
    await folders.copy(from, "copy", `${to}/`);
    const copy = join(to, "copy");
    assert.deepEqual(readdirSync(copy, { recursive: true }).sort(), readdirSync(from, { recursive: true }).sort());
    const file = statSync(join(copy, name));
    assert.deepEqual([file.mode & 0o777, file.mtimeMs], [0o640, 4_200_000_000_250]);
    assert.equal(readFileSync(join(copy, "second name"), "utf8"), "text");
    assert.equal(statSync(join(copy, "second name")).ino, file.ino);
    assert.equal(statSync(join(copy, "empty")).mode & 0o777, 0);
    assert.equal(statSync(join(copy, "locked")).mode & 0o777, 0o555);
    assert.equal(statSync(copy).mtimeMs, 1_000_000_000_000);
    assert.deepEqual([readlinkSync(join(copy, "dangling")), readlinkSync(join(copy, "absolute"))], ["nowhere", "/etc"]);
    assert.deepEqual(readdirSync(to), ["copy"]);
  });

  it("is merged into the one that is there, and replaces files but not folders", async () => {
    using folders = new Folders();
    const { from, to } = folders;
    mkdirSync(join(from, "sub"));
    writeFileSync(join(from, "sub", "file"), "new");
    mkdirSync(join(to, "sub"));
    writeFileSync(join(to, "sub", "file"), "old");
    writeFileSync(join(to, "sub", "other"), "kept");
    await folders.copy(from, ".");
    assert.equal(readFileSync(join(to, "sub", "file"), "utf8"), "new");
    assert.equal(readFileSync(join(to, "sub", "other"), "utf8"), "kept");
    mkdirSync(join(from, "sub", "other"));
    writeFileSync(join(from, "sub", "file"), "newer");
    await assert.rejects(folders.copy(from, "."), /other: a file is in the way of a folder of that name/);
    assert.equal(readFileSync(join(to, "sub", "file"), "utf8"), "new");
    assert.deepEqual(readdirSync(to), ["sub"]);
  });

  it("does not go through a link that is where one of its folders should be", async () => {
    using folders = new Folders();
    const { root, from, to } = folders;
    mkdirSync(join(from, "sub"));
    writeFileSync(join(from, "sub", "file"), "");
    mkdirSync(join(root, "elsewhere"));
    symlinkSync(join(root, "elsewhere"), join(to, "sub"));
    await assert.rejects(folders.copy(from, "."), /a link is in the way/);
    assert.deepEqual(readdirSync(join(root, "elsewhere")), []);
  });
});

describe("a copied file", () => {
  it("goes into a folder, or gets the name of the destination", async () => {
    using folders = new Folders();
    const { from, to } = folders;
    writeFileSync(join(from, "file"), "x".repeat(300_000));
    await folders.copy(join(from, "file"), "file");
    await folders.copy(join(from, "file"), "file", join(to, "renamed"));
    await folders.copy(join(from, "file"), "file", join(to, "made/here/"));
    assert.deepEqual(readdirSync(to, { recursive: true }).sort(), [
      "file",
      "made",
      "made/here",
      "made/here/file",
      "renamed",
    ]);
    assert.equal(statSync(join(to, "renamed")).size, 300_000);
  });
});

describe("a stream that is not whole", () => {
  it("changes nothing, wherever it breaks off or differs", async () => {
    using folders = new Folders();
    const { from, to } = folders;
    writeFileSync(join(from, "file"), "content");
    const sealed = await buffer(seal(pack(await openSource(from, "."), folders.listener)));
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(1500) ^ 1, 1500);
    for (const bytes of [changed, ...[0, 20, 512, 1600, sealed.length - 1].map((end) => sealed.subarray(0, end))]) {
      const arriving = unseal(
        (async function* () {
          yield bytes;
        })(),
      );
      await assert.rejects(unpack(arriving, { path: to, name: ".", links: "anywhere" }, folders.listener));
      assert.deepEqual(readdirSync(to), []);
    }
  });
});

describe("a hostile archive", () => {
  const refused: Readonly<Record<string, (archive: Pack) => void>> = {
    "a name that goes up": (archive) => archive.entry({ name: "copy/../../escaped" }, "x"),
    "an absolute name": (archive) => archive.entry({ name: "/tmp/escaped" }, "x"),
    "a name that was not asked for": (archive) => archive.entry({ name: ".bashrc" }, "x"),
    "a device": (archive) => archive.entry({ name: "copy/sda", type: "block-device", devmajor: 8 }),
    "a pipe": (archive) => archive.entry({ name: "copy/pipe", type: "fifo" }),
    "a file through a link of its own": (archive) => {
      archive.entry({ name: "copy/sub", type: "directory" });
      archive.entry({ name: "copy/link", type: "symlink", linkname: "sub" });
      archive.entry({ name: "copy/link/file" }, "x");
    },
    "a file in a link's place": (archive) => {
      archive.entry({ name: "copy/link", type: "symlink", linkname: "target" });
      archive.entry({ name: "copy/link" }, "x");
    },
    "a second name of a file outside": (archive) =>
      archive.entry({ name: "copy/shadow", type: "link", linkname: "/etc/passwd" }),
    "a second name of a link": (archive) => {
      archive.entry({ name: "copy/link", type: "symlink", linkname: "target" });
      archive.entry({ name: "copy/second", type: "link", linkname: "copy/link" });
    },
  };

  for (const [what, fill] of Object.entries(refused)) {
    it(`is refused as a whole for ${what}`, async () => {
      using folders = new Folders();
      await assert.rejects(
        folders.receive((archive) => {
          archive.entry({ name: "copy/harmless" }, "x");
          fill(archive);
        }),
        /the archive is refused, and nothing was changed: "/,
      );
      assert.deepEqual(readdirSync(folders.root), ["from", "to"]);
      assert.deepEqual(readdirSync(folders.to), []);
    });
  }

  it("loses links that lead out, and the bits that give rights", async () => {
    using folders = new Folders();
    await folders.receive((archive) => {
      archive.entry({ name: "copy/inside", type: "symlink", linkname: "file" });
      archive.entry({ name: "copy/up", type: "symlink", linkname: "../other" });
      archive.entry({ name: "copy/absolute", type: "symlink", linkname: "/etc/passwd" });
      archive.entry({ name: "copy/file", mode: 0o6755 }, "x");
    });
    assert.deepEqual(readdirSync(join(folders.to, "copy")).sort(), ["file", "inside"]);
    assert.deepEqual(folders.leftOut, ["copy/up", "copy/absolute"]);
    assert.equal(lstatSync(join(folders.to, "copy", "file")).mode & 0o7777, 0o755);
  });

  it("does not replace what a link outside of it leads to", async () => {
    using folders = new Folders();
    const precious = join(folders.root, "precious");
    writeFileSync(precious, "precious");
    symlinkSync(precious, join(folders.to, "copy"));
    await folders.receive((archive) => archive.entry({ name: "copy" }, "x"));
    assert.equal(readFileSync(precious, "utf8"), "precious");
    assert.ok(existsSync(join(folders.to, "copy")));
    assert.ok(!lstatSync(join(folders.to, "copy")).isSymbolicLink());
  });
});
