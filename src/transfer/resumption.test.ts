/** Copies that break off, and are asked for again. */
import assert from "node:assert/strict";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pack as tarPack } from "tar-stream";
import { HAVE, type Offer } from "./offer.ts";
import { pack } from "./pack.ts";
import { seal, unseal } from "./sealed-stream.ts";
import { openSource } from "./source.ts";
import { unpack } from "./unpack.ts";

const MIB = 1024 * 1024;
/** Beyond the contents of one to three files, and short of the archive's end. */
const BEHIND_FILES = 4000;

interface Attempt {
  /** The connection breaks after so many bytes. */
  readonly breaksAfter?: number;
  readonly key?: string;
  readonly isKept?: boolean;
  /** The connection breaks when this is kept. */
  readonly hold?: Promise<void>;
}

class Copy implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), "openshell-resumption-"));
  readonly from = join(this.root, "from");
  readonly to = join(this.root, "to");
  /** Of the last attempt. */
  sent = 0;
  skipped = 0;
  offers = new Map<string, Offer>();

  constructor() {
    mkdirSync(this.from);
    mkdirSync(this.to);
  }

  async attempt({ breaksAfter = Number.POSITIVE_INFINITY, key = "ab", isKept = true, hold }: Attempt = {}) {
    const listener = {
      packed: () => {},
      leftOut: () => {},
      skipped: (bytes: number) => this.count({ skipped: bytes }),
    };
    const source = await openSource(this.from, "copy");
    const offers = new Map<string, Offer>();
    Object.assign(this, { offers, sent: 0, skipped: 0 });
    const count = (bytes: number) => this.count({ sent: bytes });
    async function* archive(): AsyncGenerator<Buffer> {
      let left = breaksAfter;
      for await (const piece of seal(pack(source, listener, offers))) {
        const passed = piece.subarray(0, left);
        left -= passed.length;
        count(passed.length);
        yield passed;
        if (left === 0) return void (await hold);
      }
    }
    const offer = async (all: AsyncIterable<Offer>) => {
      for await (const one of all) offers.set(one.path, one);
    };
    const quiet = { ...listener, skipped: () => {} };
    const resumption = { key, offer, isKept: () => isKept };
    await unpack(unseal(archive()), { path: `${this.to}/`, name: "copy", links: "anywhere", resumption }, quiet);
  }

  private count({ sent = 0, skipped = 0 }): void {
    this.sent += sent;
    this.skipped += skipped;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}

/** Random enough that no two places look alike. */
function content(bytes: number, seed: number): Buffer {
  const made = Buffer.alloc(bytes);
  for (let at = 0, value = seed; at < bytes; at += 4) {
    value = (Math.imul(value, 1664525) + 1013904223) | 0;
    made.writeInt32LE(value, at);
  }
  return made;
}

describe("a copy that broke off", () => {
  it("goes on where it was when it is asked for again, as often as it takes", async () => {
    using copy = new Copy();
    const files = { first: content(2 * MIB, 1), "sub/second": content(2 * MIB, 2), small: content(100, 3) };
    mkdirSync(join(copy.from, "sub"));
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(copy.from, name), bytes);
    chmodSync(join(copy.from, "first"), 0o400);
    utimesSync(join(copy.from, "first"), 1, 1_000_000_000);
    chmodSync(join(copy.from, "sub"), 0o555);
    let sent = 0;
    for (let attempts = 1; attempts <= 3; attempts += 1) {
      await assert.rejects(copy.attempt({ breaksAfter: 1.3 * MIB }), /not everything arrived as it was sent/);
      sent += copy.sent;
      assert.deepEqual(
        readdirSync(copy.to).filter((name) => !name.startsWith(".openshell-copy-ab-")),
        [],
      );
    }
    await copy.attempt();
    assert.ok(sent + copy.sent < 4.2 * MIB, `${sent + copy.sent} bytes for ${4 * MIB}`);
    assert.ok(copy.skipped > 3 * MIB, `${copy.skipped}`);
    for (const [name, bytes] of Object.entries(files)) {
      assert.ok(readFileSync(join(copy.to, "copy", name)).equals(bytes), name);
    }
    const first = statSync(join(copy.to, "copy", "first"));
    assert.deepEqual([first.mode & 0o777, first.mtimeMs], [0o400, 1_000_000_000_000]);
    assert.deepEqual(readdirSync(copy.to), ["copy"]);
  });

  it("sends again what is not the same any more, here or there", async () => {
    using copy = new Copy();
    for (const name of ["changed", "damaged", "shorter"]) writeFileSync(join(copy.from, name), content(MIB, 4));
    await assert.rejects(copy.attempt({ breaksAfter: 3 * MIB + BEHIND_FILES }));
    const changed = content(MIB, 4).fill(1, 500, 501);
    writeFileSync(join(copy.from, "changed"), changed);
    writeFileSync(join(copy.from, "shorter"), content(MIB, 4).subarray(0, 1000));
    const [left = ""] = readdirSync(copy.to);
    writeFileSync(join(copy.to, left, "files", "copy", "damaged"), Buffer.alloc(MIB));
    await copy.attempt();
    assert.equal(copy.skipped, 0);
    assert.ok(readFileSync(join(copy.to, "copy", "changed")).equals(changed));
    assert.ok(readFileSync(join(copy.to, "copy", "damaged")).equals(content(MIB, 4)));
    assert.equal(statSync(join(copy.to, "copy", "shorter")).size, 1000);
  });

  it("begins with what the same copy has left, not with another's", async () => {
    using copy = new Copy();
    writeFileSync(join(copy.from, "file"), content(MIB, 5));
    await assert.rejects(copy.attempt({ breaksAfter: 0.9 * MIB, key: "ab" }));
    await copy.attempt({ key: "cd" });
    assert.deepEqual([copy.skipped, copy.offers.size], [0, 0]);
  });

  it("leaves nothing where nobody will go on with it", async () => {
    using copy = new Copy();
    writeFileSync(join(copy.from, "file"), content(MIB, 6));
    await assert.rejects(copy.attempt({ breaksAfter: 0.9 * MIB, isKept: false }));
    assert.deepEqual(readdirSync(copy.to), []);
  });

  it("is forgotten after a week", async () => {
    using copy = new Copy();
    writeFileSync(join(copy.from, "file"), content(MIB, 6));
    await assert.rejects(copy.attempt({ breaksAfter: 0.9 * MIB, key: "ab" }));
    const [left = ""] = readdirSync(copy.to);
    utimesSync(join(copy.to, left), 1, Date.now() / 1000 - 8 * 86_400);
    await copy.attempt({ key: "cd" });
    assert.deepEqual(readdirSync(copy.to), ["copy"]);
  });

  it("is the next one's from then on, also if it still waits for its own end", async () => {
    using copy = new Copy();
    writeFileSync(join(copy.from, "file"), content(2 * MIB, 7));
    const end = Promise.withResolvers<void>();
    const waiting = copy.attempt({ breaksAfter: MIB, hold: end.promise });
    const isThere = () =>
      readdirSync(copy.to, { recursive: true }).some((name) => `${name}`.endsWith("files/copy/file"));
    while (!isThere() || copy.sent < MIB) await new Promise(setImmediate);
    await copy.attempt();
    assert.ok(readFileSync(join(copy.to, "copy", "file")).equals(content(2 * MIB, 7)));
    end.resolve();
    await assert.rejects(waiting);
    assert.deepEqual(readdirSync(copy.to), ["copy"]);
  });

  it("has no stock but plain files with one name", async () => {
    using copy = new Copy();
    writeFileSync(join(copy.root, "precious"), content(MIB, 8));
    writeFileSync(join(copy.from, "file"), content(MIB, 8));
    writeFileSync(join(copy.from, "two"), content(MIB, 8));
    await assert.rejects(copy.attempt({ breaksAfter: 2 * MIB + BEHIND_FILES }));
    const place = join(copy.to, readdirSync(copy.to)[0] ?? "", "files", "copy");
    for (const name of ["file", "two"]) rmSync(join(place, name), { force: true });
    symlinkSync(join(copy.root, "precious"), join(place, "file"));
    linkSync(join(copy.root, "precious"), join(place, "two"));
    await copy.attempt();
    assert.equal(copy.skipped, 0);
    assert.equal(statSync(join(copy.root, "precious")).mode & 0o777, 0o644);
    assert.ok(readFileSync(join(copy.to, "copy", "two")).equals(content(MIB, 8)));
  });
});

describe("a hostile archive that is gone on with", () => {
  const offered = content(MIB, 9);
  const entries: Readonly<Record<string, readonly { readonly name: string; readonly have: number }[]>> = {
    "a beginning that nobody has": [{ name: "copy/other", have: 5 }],
    "a beginning of another length": [{ name: "copy/file", have: 5 }],
    "a beginning outside": [{ name: "copy/../../precious", have: MIB }],
    "the same beginning twice": [
      { name: "copy/file", have: MIB },
      { name: "copy/file", have: MIB },
    ],
  };

  for (const [what, claims] of Object.entries(entries)) {
    it(`is refused as a whole for ${what}`, async () => {
      using copy = new Copy();
      writeFileSync(join(copy.root, "precious"), offered);
      writeFileSync(join(copy.from, "file"), offered);
      await assert.rejects(copy.attempt({ breaksAfter: MIB + BEHIND_FILES }));
      const archive = tarPack();
      for (const { name, have } of claims) archive.entry({ name, pax: { [HAVE]: `${have}` } }, "x");
      archive.finalize();
      const offer = async (all: AsyncIterable<Offer>) => {
        for await (const _ of all);
      };
      const resumption = { key: "ab", offer, isKept: () => true };
      await assert.rejects(
        unpack(
          archive as AsyncIterable<Uint8Array>,
          { path: `${copy.to}/`, name: "copy", links: "inside", resumption },
          { packed: () => {}, leftOut: () => {} },
        ),
        /the archive is refused, and nothing was changed/,
      );
      assert.deepEqual(readdirSync(copy.to), []);
      assert.ok(readFileSync(join(copy.root, "precious")).equals(offered));
    });
  }
});
