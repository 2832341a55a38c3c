import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import type { Change } from "./changes.ts";
import { readState } from "./file-state.ts";
import { Folder } from "./folder.ts";
import { patch, quoted } from "./patch.ts";

interface Made {
  readonly kind: "file" | "link";
  readonly text: string;
  readonly isExecutable: boolean;
}

const line = fc.oneof(
  fc.constantFrom("a", "b", "c", "}", ""),
  fc.string({ maxLength: 6 }).map((text) => text.replaceAll("\0", "")),
);
const text = fc
  .tuple(fc.array(line, { maxLength: 30 }), fc.boolean())
  .map(([lines, isEnded]) => lines.join("\n") + (isEnded && lines.length > 0 ? "\n" : ""));
/** A zero byte makes it none; long enough for several lines of a binary patch. */
const noText = fc.string({ maxLength: 400, unit: "binary" }).map((characters) => `\0${characters}`);
const contents = fc.oneof({ weight: 3, arbitrary: text }, noText);
const file = fc.record({ kind: fc.constant("file" as const), text: contents, isExecutable: fc.boolean() });
const link = fc.record({
  kind: fc.constant("link" as const),
  text: fc.constantFrom("a", "../b", "/nowhere"),
  isExecutable: fc.constant(false),
});
const made: fc.Arbitrary<Made> = fc.oneof({ weight: 4, arbitrary: file }, link);
const step = fc
  .string({ minLength: 1, maxLength: 5, unit: fc.constantFrom(...'ab .\t\n"\\ü日-\u001b\u0085') })
  .filter((name) => name !== "." && name !== "..");
const path = fc.array(step, { minLength: 1, maxLength: 3 }).map((steps) => steps.join("/"));

describe("a patch", () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), "openshell-patch-"));
  });
  after(() => rmSync(root, { recursive: true }));

  function make(folder: string, at: string, { kind, text, isExecutable }: Made): void {
    const whole = join(folder, at);
    mkdirSync(dirname(whole), { recursive: true });
    if (kind === "link") return symlinkSync(text, whole);
    writeFileSync(whole, text);
    chmodSync(whole, isExecutable ? 0o755 : 0o644);
  }

  function found(folder: string, at: string): Made | undefined {
    const status = lstatSync(join(folder, at), { throwIfNoEntry: false });
    if (status === undefined) return undefined;
    if (status.isSymbolicLink()) return { kind: "link", text: readlinkSync(join(folder, at)), isExecutable: false };
    const text = readFileSync(join(folder, at), "utf8");
    return { kind: "file", text, isExecutable: (status.mode & 0o100) !== 0 };
  }

  async function stateAt(folder: string, at: string) {
    await using parent = await Folder.at(dirname(join(folder, at)));
    return await readState(parent, at.split("/").at(-1) ?? "");
  }

  async function patchOf(at: string, sides: { readonly before: string; readonly after: string }): Promise<Buffer> {
    const change: Change = {
      path: at,
      before: await stateAt(sides.before, at),
      after: await stateAt(sides.after, at),
      conflict: false,
      open: async (side) => {
        await using parent = await Folder.at(dirname(join(sides[side], at)));
        return await parent.file(at.split("/").at(-1) ?? "");
      },
    };
    const pieces: Buffer[] = [];
    for await (const piece of patch(change)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  it("makes of what was there what is there now, when git applies it", async () => {
    await fc.assert(
      fc.asyncProperty(path, fc.option(made), fc.option(made), async (at, old, now) => {
        const sides = { before: join(root, "before"), after: join(root, "after") };
        for (const [folder, what] of [
          [sides.before, old],
          [sides.after, now],
        ] as const) {
          rmSync(folder, { recursive: true, force: true });
          mkdirSync(dirname(join(folder, at)), { recursive: true });
          if (what) make(folder, at, what);
        }
        const input = await patchOf(at, sides);
        if (input.length > 0) {
          const { status, stderr } = spawnSync("git", ["apply", "-"], { cwd: sides.before, input });
          assert.equal(status, 0, `${stderr}\n${input}`);
        }
        assert.deepEqual(found(sides.before, at), found(sides.after, at), input.toString());
      }),
      { numRuns: 100 },
    );
  });

  it("is none for a change that git does not keep", async () => {
    for (const [folder, mode] of [
      ["one", 0o644],
      ["other", 0o600],
    ] as const) {
      make(join(root, folder), "file", { kind: "file", text: "same\n", isExecutable: false });
      chmodSync(join(root, folder, "file"), mode);
    }
    assert.equal((await patchOf("file", { before: join(root, "one"), after: join(root, "other") })).length, 0);
  });

  it("says of what is too large that it differs, and is then one that git refuses", async () => {
    make(join(root, "old"), "picture", { kind: "file", text: "a", isExecutable: false });
    make(join(root, "new"), "picture", { kind: "file", text: "\0".repeat((16 << 20) + 1), isExecutable: false });
    const text = await patchOf("picture", { before: join(root, "old"), after: join(root, "new") });
    assert.match(
      `${text}`,
      /^diff --git a\/picture b\/picture\nindex .*\nBinary files a\/picture and b\/picture differ\n$/,
    );
    const { status, stderr } = spawnSync("git", ["apply"], { cwd: join(root, "old"), input: text, encoding: "utf8" });
    assert.notEqual(status, 0);
    assert.match(stderr, /cannot apply binary patch to 'picture' without full index line/);
  });

  it("names what holds a terminal's orders as git does", () => {
    assert.equal(quoted('a/\u001b[2Jx\n"y"\\z'), String.raw`"a/\033[2Jx\n\"y\"\\z"`);
    assert.equal(quoted("a/naïve"), "a/naïve");
  });
});
