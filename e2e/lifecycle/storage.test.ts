/** A gateway whose disk is full or read-only: what it has acknowledged is there, what it could not store is told as that. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { eventually } from "../support/eventually.ts";
import { type Finished, type Installation, install } from "../support/installation.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

const providers = ["one", "two", "three", "four"];

const create = (provider: string) =>
  ["provider", "create", provider, "--type", "github", "--credential", "GITHUB_TOKEN=ghp_x"] as const;

describe("a gateway", () => {
  let installation: Installation;
  let disk: Disk;
  let sandbox: Sandbox;
  before(async () => {
    installation = install();
    disk = ownDisk(installation);
    sandbox = await createSandbox(installation, "kept", "network_policies: {}\n");
  });
  after(async () => {
    await disk[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  it("acknowledges nothing on a full disk that it has not stored, and goes on when there is room", async () => {
    disk.fill();
    const acknowledged: string[] = [];
    for (const provider of providers) {
      const { code, stderr } = await installation.run(create(provider));
      if (code === 0) acknowledged.push(provider);
      else assert.match(stderr, /disk is full: nothing was changed; make room/);
    }
    const late = await installation.run(["sandbox", "create", "--name", "late"]);
    assert.match(late.stderr, /disk is full: nothing was changed; make room/);
    // What runs goes on, and so do those who only look.
    assert.equal((await sandbox.run("echo runs")).stdout, "runs\n");
    assert.equal((await installation.run(["sandbox", "list", "--names"])).stdout, "kept\n");

    process.kill(await gatewayPid(installation), "SIGKILL");
    const started = await installation.run(["gateway", "start"]);
    if (started.code !== 0) assert.match(started.stderr, /disk is full: make room/);
    disk.free();
    assert.equal((await installation.run(create("five"))).code, 0);
    await expectState(installation, sandbox, [...acknowledged, "five"]);
  });

  it("whose state is read-only says so, changes nothing, and starts when it is not any more", async () => {
    for (const asked of [
      ["sandbox", "stop", "kept"],
      ["gateway", "stop"],
    ]) {
      assert.equal((await installation.run(asked)).code, 0);
    }
    await disk.remount("ro");
    const { code, stderr } = await installation.run(["gateway", "start"]);
    assert.equal(code, 1);
    assert.match(stderr, /no place for its files: .*read-only file system.*\nhint: set XDG_STATE_HOME/);
    await disk.remount("rw");
    assert.equal((await installation.run(["sandbox", "start", "kept"])).code, 0);
    assert.equal((await sandbox.run("echo works")).stdout, "works\n");
  });
});

async function expectState(installation: Installation, sandbox: Sandbox, known: readonly string[]): Promise<void> {
  const list = async (kind: string): Promise<string[]> =>
    (await installation.run([kind, "list", "--names"])).stdout.split("\n").filter(Boolean).sort();
  assert.deepEqual(await list("provider"), [...known].sort());
  assert.deepEqual(await list("sandbox"), ["kept"]);
  assert.equal((await sandbox.run("echo works")).stdout, "works\n");
}

async function gatewayPid(installation: Installation): Promise<number> {
  const { stdout }: Finished = await installation.run(["gateway", "start"]);
  return Number(/process (\d+)/.exec(stdout)?.[1]);
}

interface Disk extends AsyncDisposable {
  fill(): void;
  free(): void;
  remount(mode: "ro" | "rw"): Promise<void>;
}

const quiet = { stdio: "pipe" } as const;

/** A file system of its own for the gateway's state. */
function ownDisk({ home, run }: Installation): Disk {
  const state = join(home, ".local", "state");
  const filler = join(state, "filler");
  mkdirSync(state, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m,mode=0755", "tmpfs", state]);
  return {
    fill: () => execFileSync("sh", ["-c", 'dd if=/dev/zero of="$1" bs=4096 2>/dev/null; true', "sh", filler]),
    free: () => rmSync(filler),
    // The kernel closes a process's files a moment after its end is seen.
    remount: (mode) => eventually(() => void execFileSync("mount", ["-o", `remount,${mode}`, state], quiet)),
    async [Symbol.asyncDispose]() {
      await run(["sandbox", "delete", "--all"]);
      await run(["gateway", "stop"]);
      await eventually(() => void execFileSync("umount", [state], quiet));
    },
  };
}
