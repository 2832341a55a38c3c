/**
 * A gateway on another machine, which has an sshd and what sandboxes are built with, and nothing of ours: started by one command,
 * then used like any other, also while the network breaks.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Installation, install } from "../support/installation.ts";
import { type RemoteMachine, startRemoteMachine } from "../support/remote-machine.ts";
import { isInContainers, tester, world } from "../support/world.ts";

/** What the user of a sandbox is called: an image's root becomes its user 1000, who may have a name there. */
const insider = (isInContainers() && /^(\w+):[^:]*:1000:/m.exec(readFileSync("/etc/passwd", "utf8"))?.[1]) || "sandbox";

const skip = world().hasUsers && existsSync("/usr/sbin/sshd") ? false : "needs root and openssh-server";

describe("a gateway on another machine, by SSH", { skip }, () => {
  let machine: RemoteMachine;
  let installation: Installation;
  let runtimes: string;
  /** A program of an older version, as a supervisor is that has outlived an update. */
  let onOlder: ChildProcess | undefined;

  const succeeds = async (args: readonly string[], options = {}) => {
    const { code, stdout, stderr } = await installation.run(args, { timeout: 120_000, ...options });
    assert.equal(code, 0, stderr);
    return { stdout, stderr };
  };
  const fails = async (args: readonly string[]) => {
    const { code, stderr } = await installation.run(args, { timeout: 120_000 });
    assert.notEqual(code, 0);
    return stderr;
  };
  const start = () => ["gateway", "start", "--remote", machine.destination, "--ssh-key", machine.key, "--name", "far"];

  before(async () => {
    machine = await startRemoteMachine();
    installation = install();
    runtimes = join(machine.home, ".local/share/openshell/runtime");
  });
  after(async () => {
    onOlder?.kill("SIGKILL");
    try {
      await installation.run(["gateway", "destroy", "--yes", "-g", "far"]);
    } finally {
      await machine[Symbol.asyncDispose]();
      await installation[Symbol.asyncDispose]();
    }
  });

  it("is started with one command that copies the programs, registers it and selects it", async () => {
    const { stdout, stderr } = await succeeds(start());
    assert.match(stdout, /the gateway "far" runs on tester@127\.0\.0\.1/);
    assert.match(stderr, /copied \d+ MiB/);
    const [far] = JSON.parse((await succeeds(["gateway", "list", "-o", "json"])).stdout);
    assert.deepEqual([far.name, far.type, far.active], ["far", "remote", true]);
    assert.match((await succeeds(["status"])).stdout, /Connected.*Authenticated/s);
  });

  it("runs sandboxes there, as the user who logged in, and nothing here", async () => {
    await succeeds(["sandbox", "create", "--name", "s1"]);
    const { stdout } = await succeeds(["sandbox", "exec", "-n", "s1", "--", "id", "-un"]);
    assert.equal(stdout, `${insider}\n`);
    const state = join(machine.home, ".local/state/openshell");
    assert.equal(statSync(join(state, "sandboxes")).uid, tester.uid);
    assert.ok(
      !existsSync(installation.stateDirectory) || !existsSync(join(installation.stateDirectory, "gateway.json")),
    );
  });

  it("goes on with a command at the byte where the network broke", async () => {
    const script = 'for i in $(seq 200); do read -r word; echo "$i $word"; done; exit 7';
    const running = installation.start(["sandbox", "exec", "-n", "s1", "--", "sh", "-c", script], { timeout: 120_000 });
    for (let line = 1; line <= 200; line += 1) {
      running.stdin.write(`w${line}\n`);
      if (line % 50 === 25) {
        await once(running.stdout, "data");
        machine.cut();
      }
    }
    running.stdin.end();
    const { code, stdout, stderr } = await running.finished;
    assert.equal(code, 7, stderr);
    assert.equal(stdout, Array.from({ length: 200 }, (_, at) => `${at + 1} w${at + 1}\n`).join(""));
  });

  it("copies files, forwards ports, and shows logs as one on this machine does", async () => {
    const folder = join(installation.home, "project");
    mkdirSync(folder);
    writeFileSync(join(folder, "file"), "over two machines");
    await succeeds(["sandbox", "upload", "s1", folder, "/sandbox/"]);
    await succeeds(["sandbox", "download", "s1", "/sandbox/project/file", join(installation.home, "back")]);
    assert.equal(readFileSync(join(installation.home, "back"), "utf8"), "over two machines");
    const server = `exec python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 8123)); print("up", flush=True)
while True: s.accept()[0].sendall(b"from afar")'`;
    const serving = installation.start(["sandbox", "exec", "-n", "s1", "--", "sh", "-c", server]);
    await once(serving.stdout, "data");
    await succeeds(["forward", "start", "8123", "s1", "-d"]);
    const { stdout } = await installation.runProgram(["/bin/bash", "-c", "cat </dev/tcp/127.0.0.1/8123"]);
    assert.equal(stdout, "from afar");
    await succeeds(["forward", "stop", "8123", "s1"]);
    serving.kill("SIGINT");
    await serving.finished;
    assert.match((await succeeds(["logs", "s1"])).stdout, /PROC:LAUNCH/);
  });

  it("is connected to by ssh, through the gateway over there", async () => {
    const config = join(installation.home, "ssh_config");
    writeFileSync(config, (await succeeds(["sandbox", "ssh-config", "s1"])).stdout);
    const host = /^Host (\S+)/m.exec(readFileSync(config, "utf8"))?.[1] ?? "";
    const { stdout, stderr } = await installation.runProgram(["ssh", "-F", config, host, "echo inside; id -un"]);
    assert.equal(stdout, `inside\n${insider}\n`, stderr);
  });

  it("gets nothing anew where everything is there, only links what an older version has, and keeps that while it is used", async () => {
    assert.doesNotMatch((await succeeds(start())).stderr, /copied/);
    const [version = ""] = readdirSync(runtimes);
    renameSync(join(runtimes, version), join(runtimes, "older"));
    onOlder = spawn(process.execPath, [
      "-e",
      "setInterval(() => {}, 1e6)",
      join(runtimes, "older/dist/supervisor.cjs"),
    ]);
    await once(onOlder, "spawn");
    assert.doesNotMatch((await succeeds(start())).stderr, /copied/);
    assert.equal(statSync(join(runtimes, version, "dist/cli.cjs")).nlink, 2);
  });

  it("takes no program that is not what it should be", async () => {
    const [one = ""] = readdirSync(runtimes).filter((name) => name !== "older");
    writeFileSync(join(runtimes, "older", "dist/cli.cjs"), "tampered");
    renameSync(join(runtimes, one), join(runtimes, "moved"));
    const said = await fails(start());
    const left = readdirSync(runtimes).sort();
    renameSync(join(runtimes, "moved"), join(runtimes, one));
    writeFileSync(join(runtimes, one, "dist/cli.cjs"), readFileSync(join(world().packageDirectory, "dist/cli.cjs")));
    assert.match(said, /could not be copied.*cli\.cjs: FAILED/s);
    assert.deepEqual(left, ["moved", "older"]);
  });

  it("is rid of a version that nothing runs on", async () => {
    const unused = join(runtimes, "0123456789abcdef");
    mkdirSync(unused);
    writeFileSync(join(unused, "MANIFEST"), "");
    for (const path of [unused, join(unused, "MANIFEST")]) chownSync(path, tester.uid, tester.gid);
    await succeeds(start());
    assert.ok(!existsSync(unused));
    // Programs run on it, and sandboxes show it.
    assert.ok(existsSync(join(runtimes, "older")));
  });

  it("is stopped and started again, and its sandboxes go on meanwhile", async () => {
    const pid = async () =>
      (await succeeds(["sandbox", "exec", "-n", "s1", "--", "cat", "/proc/1/stat"])).stdout.split(" ")[21];
    const startedAt = await pid();
    assert.match((await succeeds(["gateway", "stop"])).stdout, /"far" on tester@127\.0\.0\.1 is stopped/);
    assert.match(await fails(["sandbox", "list"]), /cannot reach the gateway "far".*gateway restart -g far/s);
    await succeeds(["gateway", "restart"]);
    assert.equal(await pid(), startedAt);
    assert.match((await succeeds(["gateway", "logs"])).stdout, /listens on https:\/\/127\.0\.0\.1/);
  });

  it("refuses by name what holds on this machine only", async () => {
    assert.match(await fails([...start(), "--foreground"]), /--foreground holds on this machine alone/);
    assert.match(await fails(["gateway", "backup", join(installation.home, "b")]), /"far" is on another/);
    assert.match(await fails(["sandbox", "create", "--workspace", installation.home]), /--workspace/);
    assert.match(
      await fails(["gateway", "start", "--ssh-key", "x", "-g", "openshell"]),
      /--ssh-key is for gateways with --remote/,
    );
  });

  it("says what is wrong with a way that leads nowhere", async () => {
    const nowhere = ["gateway", "start", "--remote", "tester@127.0.0.1:9", "--name", "nowhere"];
    assert.match(await fails(nowhere), /cannot reach tester@127\.0\.0\.1 by SSH:.*refused/);
    assert.match(await fails(["gateway", "start", "--remote", "-oProxyCommand=x"]), /no SSH destination|needs a value/);
  });

  it("leaves nothing when it is destroyed", async () => {
    await succeeds(["gateway", "destroy", "--yes"]);
    assert.ok(!existsSync(runtimes));
    assert.ok(!existsSync(join(machine.home, ".local/state/openshell")));
    assert.deepEqual(JSON.parse((await succeeds(["gateway", "list", "-o", "json"])).stdout), []);
  });
});
