/** The check that every other test ends with sees what it is there to see. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { install } from "../support/installation.ts";
import { expectNothingLeft, takeBaseline } from "../support/leftovers.ts";
import { world } from "../support/world.ts";

describe("the check for what is left behind", () => {
  const directory = mkdtempSync(join(world().directory, "left-"));
  const sandboxes = join(directory, "sandboxes");

  it("finds nothing when nothing was done", async () => {
    await expectNothingLeft(takeBaseline(), sandboxes);
  });

  it("finds a process, and waits for one that is about to end", async () => {
    const baseline = takeBaseline();
    const child = spawn("cat", { stdio: ["pipe", "ignore", "ignore"] });
    await once(child, "spawn");
    await assert.rejects(expectNothingLeft(baseline, sandboxes, { patience: 50 }), /process \d+: cat/);
    child.stdin.end();
    await expectNothingLeft(baseline, sandboxes);
  });

  it("finds a mount", async () => {
    const baseline = takeBaseline();
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", directory]);
    await assert.rejects(expectNothingLeft(baseline, sandboxes, { patience: 50 }), /mount .*left-/);
    execFileSync("umount", [directory]);
  });

  it("finds a sandbox's directory", async () => {
    const baseline = takeBaseline();
    mkdirSync(join(sandboxes, "abc"), { recursive: true });
    await assert.rejects(expectNothingLeft(baseline, sandboxes, { patience: 50 }), /sandbox directory abc/);
    rmSync(sandboxes, { recursive: true });
  });

  it("finds a secret of the gateway's, also one that it has no more", async () => {
    const installation = install();
    const github = ["provider", "create", "hub", "--type", "github", "--credential", "GITHUB_TOKEN"];
    const env = { GITHUB_TOKEN: "ghp_CanaryThatWasLeftInAFileOfTheHome0001" };
    assert.equal((await installation.run(github, { env })).code, 0);
    const rotated = { env: { GITHUB_TOKEN: "ghp_CanaryThatIsSealedAndNowhereElse0002" } };
    assert.equal(
      (await installation.run(["provider", "update", "hub", "--credential", "GITHUB_TOKEN"], rotated)).code,
      0,
    );
    const leak = join(installation.home, ".config", "notes");
    writeFileSync(leak, `the key is ${env.GITHUB_TOKEN}!`);
    await assert.rejects(async () => installation[Symbol.asyncDispose](), { actual: [leak] });
  });
});
