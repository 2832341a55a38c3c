/**
 * A sandbox whose programs take all that they can get hurts nobody but themselves: the sandbox beside it, which reaches what
 * it may, the gateway, and the supervisor that has to bear it. OPENSHELL_CHAOS_GREED multiplies what is taken.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Installation, install } from "../support/installation.ts";
import { type RawTcpServer, startRawTcpServer } from "../support/raw-tcp-server.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";
import { supervisors } from "../support/supervisors.ts";
import { python } from "./support/greedy-programs.ts";

const greed = Number(process.env["OPENSHELL_CHAOS_GREED"] ?? 1);

const policy = `
network_policies:
  api: { endpoints: [{ host: api.example.test, port: 9000 }], binaries: [{ path: any }] }
`;

describe("beside a greedy sandbox", () => {
  let installation: Installation;
  let server: RawTcpServer;
  let neighbour: Sandbox;
  let greedy: Sandbox;

  before(async () => {
    installation = install();
    // A disk of its own, so that it can be filled.
    const state = join(installation.home, ".local", "state");
    mkdirSync(state, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256m,mode=0755", "tmpfs", state]);
    server = await startRawTcpServer({ host: "api.example.test", port: 9000, greeting: "welcome\n" });
    neighbour = await createSandbox(installation, "neighbour", policy);
    const limited = await installation.run([
      "sandbox",
      "create",
      "--name",
      "greedy",
      "--pids",
      "200",
      "--policy",
      join(installation.home, "neighbour.yaml"),
    ]);
    assert.equal(limited.code, 0, limited.stderr);
    greedy = {
      ...neighbour,
      name: "greedy",
      run: (script) => installation.run(["sandbox", "exec", "-n", "greedy", "--", "sh", "-c", script]),
    };
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await installation.run(["sandbox", "delete", "--all"]);
    await installation.run(["gateway", "stop"]);
    execFileSync("umount", ["-l", join(installation.home, ".local", "state")]);
    await installation[Symbol.asyncDispose]();
  });

  /** Lets it take what it wants, looks meanwhile whether the neighbour works, and afterwards whether it does itself. */
  async function bears(test: { diagnostic(text: string): void }, script: string): Promise<void> {
    const before = supervisors();
    const most = { memoryMiB: 0, descriptors: 0 };
    const watch = setInterval(() => {
      for (const pid of supervisors()) {
        const { memoryMiB, descriptors } = takenBy(pid);
        most.memoryMiB = Math.max(most.memoryMiB, memoryMiB);
        most.descriptors = Math.max(most.descriptors, descriptors);
      }
    }, 50);
    const running = greedy.run(script);
    try {
      for (let turn = 0; turn < 2; turn += 1) {
        assert.equal((await neighbour.run(reachApi)).stdout, "welcome\n");
        await sleep(200);
      }
      await running;
    } finally {
      clearInterval(watch);
    }
    // What it has asked for is still being worked off, in its own name alone.
    while ((await greedy.run(reachApi)).stdout !== "welcome\n");
    test.diagnostic(`a supervisor took at most ${most.memoryMiB} MiB and ${most.descriptors} descriptors`);
    const gone = before.filter((pid) => !supervisors().includes(pid));
    assert.deepEqual(gone, [], "supervisors that ended");
  }

  it("that forks without end", (test) => bears(test, python("processes")));

  it("that opens files without end", (test) => bears(test, python("descriptors")));

  it(`that opens ${2_000 * greed} connections at once`, (test) => bears(test, python("connections", 2_000 * greed)));

  it("that asks for names without end", (test) => bears(test, python("names", 5_000 * greed)));

  it("that fills the disk, commands run on, and all is well once there is room again", async (test) => {
    const before = supervisors();
    await greedy.run("dd if=/dev/zero of=filler bs=1M 2>/dev/null; true");
    // What could not be recorded does not leave; but there is no reason to stop. What takes long enough fills the last page.
    for (let turn = 0; turn < 4; turn += 1) {
      for (const { run } of [neighbour, greedy]) assert.equal((await run("echo works")).stdout, "works\n");
      assert.equal((await installation.run(["sandbox", "list"])).code, 0);
    }
    assert.equal((await greedy.run("rm filler")).code, 0);
    assert.deepEqual(supervisors(), before);
    await bears(test, "true");
    assert.equal((await installation.run(["workspace", "create", "later"])).code, 0);
    assert.match(readFileSync(join(installation.stateDirectory, "gateway.log"), "utf8"), /workspace later created$/m);
  });

  it(`that says ${64 * greed} MiB to somebody who does not listen`, async (test) => {
    const flood = installation.start(
      ["sandbox", "exec", "-n", "greedy", "--", "head", "-c", `${64 * greed}M`, "/dev/zero"],
      {
        timeout: 200_000,
      },
    );
    flood.stdout.pause();
    await bears(test, "sleep 1");
    flood.stdout.resume();
    const { code, stdout } = await flood.finished;
    assert.deepEqual([code, stdout.length], [0, 64 * greed * 2 ** 20]);
  });

  it("whose commands have more words and variables than a program can be given", async () => {
    const long = "x".repeat(100_000);
    const exec = (words: number, variables: number) => {
      const env = Array.from({ length: variables }, (_, at) => ["--env", `V${at}=${long}`]).flat();
      const command = ["sh", "-c", "echo $# words", "sh", ...Array.from({ length: words }, () => long)];
      return installation.run(["sandbox", "exec", "-n", "greedy", ...env, "--", ...command]);
    };
    assert.equal((await exec(4, 4)).stdout, "4 words\n");
    for (const [words, variables] of [
      [14, 0],
      [0, 14],
    ] as const) {
      const { code, stderr } = await exec(words, variables);
      assert.equal(code, 126);
      assert.match(stderr, /the arguments and the environment are too long together/);
    }
    assert.equal((await greedy.run(reachApi)).stdout, "welcome\n");
  });
});

/** One allowed connection, from the name to the answer. */
const reachApi = `python3 -c 'import socket; print(socket.create_connection(("api.example.test", 9000)).recv(99).decode(), end="")'`;

function takenBy(pid: number): { readonly memoryMiB: number; readonly descriptors: number } {
  try {
    const [, kibibytes = ""] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return { memoryMiB: Math.round(Number(kibibytes) / 1024), descriptors: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return { memoryMiB: 0, descriptors: 0 };
  }
}
