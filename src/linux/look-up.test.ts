import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { RootedLookUp } from "./look-up.ts";

describe("a path looked up below another root", () => {
  let directory = "";
  let lookUp: RootedLookUp;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "openshell-look-up-"));
    mkdirSync(join(directory, "etc"));
    mkdirSync(join(directory, "home"));
    writeFileSync(join(directory, "etc", "file"), "");
    symlinkSync("/etc/file", join(directory, "home", "to-file"));
    symlinkSync("../etc", join(directory, "home", "to-etc"));
    symlinkSync("/../../nothing", join(directory, "home", "to-nothing"));
    symlinkSync("loop", join(directory, "home", "loop"));
    lookUp = new RootedLookUp(directory);
  });
  after(() => {
    lookUp[Symbol.dispose]();
    rmSync(directory, { recursive: true });
  });

  const cases: readonly (readonly [given: string, last: "follow" | "keep", want: string | undefined])[] = [
    ["/etc/file", "follow", "/etc/file"],
    ["/home/../../../etc//./file", "follow", "/etc/file"],
    ["/etc/absent", "follow", "absent /etc/absent"],
    ["/absent/absent", "keep", "absent /absent/absent"],
    ["/home/to-etc/absent", "follow", "absent /etc/absent"],
    ["/home/to-file", "follow", "/etc/file"],
    ["/home/to-etc/file", "keep", "/etc/file"],
    ["/home/to-nothing", "follow", undefined],
    ["/home/to-nothing", "keep", "/home/to-nothing"],
    ["/home/loop", "follow", undefined],
    ["/etc/file/below", "follow", undefined],
    [`/${"x".repeat(300)}`, "follow", undefined],
  ];
  for (const [given, last, want] of cases) {
    it(`${given.slice(0, 40)}, ${last} is ${want}`, () => {
      const found = lookUp.find(given, last);
      assert.equal(found && `${found.exists ? "" : "absent "}${found.path}`, want);
    });
  }

  it("tells whether there is a folder for what is not there", () => {
    assert.equal(lookUp.hasParent("/etc/absent"), true);
    assert.equal(lookUp.hasParent("/absent/absent"), false);
  });
});
