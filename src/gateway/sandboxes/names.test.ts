import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseLabelSelector } from "./label-selector.ts";
import { levelsFrom } from "./log-levels.ts";
import { requireSandboxName, suggestName } from "./names.ts";

describe("what a client may say", () => {
  it("names a sandbox by a DNS label", () => {
    for (const name of ["a", "web-1", "x".repeat(63), suggestName(0), suggestName(3)]) requireSandboxName(name);
    for (const name of ["", "-a", "a-", "A", "a.b", "a/b", "..", "x".repeat(64), "a\n"]) {
      assert.throws(() => requireSandboxName(name), /cannot be a sandbox name/);
    }
  });

  it("selects by labels", () => {
    assert.deepEqual(
      [...parseLabelSelector("team=blue, stage==test")],
      [
        ["team", "blue"],
        ["stage", "test"],
      ],
    );
    assert.equal(parseLabelSelector("").size, 0);
    assert.throws(() => parseLabelSelector("team"), /key=value/);
  });

  it("asks for log lines from a level upwards", () => {
    assert.deepEqual(levelsFrom(""), []);
    assert.ok(levelsFrom("warn").includes("HIGH"));
    assert.ok(!levelsFrom("warn").includes("INFO"));
    assert.throws(() => levelsFrom("loud"), /not a log level/);
  });
});
