/** Snapshots of what a sandbox has left that would harm whoever copies it carelessly. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { directoriesIn, sandboxesDirectory } from "./sandbox-directories.ts";
import { SavedStates } from "./saved-states.ts";

/** More than a disk that is shared has left, if it were not for the holes. */
const HOLES_BYTES = 4 * 2 ** 30;

/** Follows no link, as Node's own listing would. */
function namesIn(place: string): string[] {
  return execFileSync("find", [place, "-printf", "%P\\0"]).toString().split("\0").sort();
}

it("a snapshot of pipes, links out, holes and odd names is made, put back and forked, and nothing outside is touched", async () => {
  const state = mkdtempSync(join(tmpdir(), "openshell-states-"));
  try {
    const home = (sandboxId: string) => directoriesIn(join(sandboxesDirectory(state), sandboxId)).home;
    for (const sandboxId of ["one", "two"]) mkdirSync(home(sandboxId), { recursive: true });
    const precious = join(state, "precious");
    writeFileSync(precious, "precious");
    const odd = "-rf\n\u001b[31m../x";
    const fill = (place: string): void => {
      writeFileSync(join(place, odd.replaceAll("/", "_")), "odd");
      execFileSync("mkfifo", [join(place, "pipe")]);
      symlinkSync(precious, join(place, "link"));
      symlinkSync("../../..", join(place, "up"));
      writeFileSync(join(place, "holes"), "");
      truncateSync(join(place, "holes"), HOLES_BYTES);
      writeFileSync(join(place, "first"), "linked");
      linkSync(join(place, "first"), join(place, "second"));
      mkdirSync(join(place, "locked"));
      writeFileSync(join(place, "locked", "program"), "x");
      chmodSync(join(place, "locked", "program"), 0o4755);
      chmodSync(join(place, "locked"), 0o500);
    };
    fill(home("one"));
    const before = namesIn(home("one"));
    const states = new SavedStates(state);
    await states.save("one", "all");
    rmSync(join(home("one"), "first"));
    symlinkSync(precious, join(home("one"), "first"));
    await states.restore("one", "all");
    await states.copy("one", "two");
    for (const sandboxId of ["one", "two"]) {
      const place = home(sandboxId);
      assert.deepEqual(namesIn(place), before);
      assert.ok(lstatSync(join(place, "pipe")).isFIFO());
      assert.equal(readlinkSync(join(place, "link")), precious);
      assert.equal(readFileSync(join(place, "first"), "utf8"), "linked");
      assert.equal(statSync(join(place, "first")).ino, statSync(join(place, "second")).ino);
      const { size, blocks } = statSync(join(place, "holes"));
      assert.equal(size, HOLES_BYTES);
      assert.ok(blocks * 512 < 1_000_000, `${blocks} blocks`);
    }
    assert.equal(readFileSync(precious, "utf8"), "precious");
    assert.notEqual(statSync(join(home("one"), "first")).ino, statSync(join(home("two"), "first")).ino);
    await states.removeAll("one");
    assert.deepEqual(await states.list("one"), []);
  } finally {
    execFileSync("chmod", ["-R", "u+rwX", state]);
    rmSync(state, { recursive: true });
  }
});
