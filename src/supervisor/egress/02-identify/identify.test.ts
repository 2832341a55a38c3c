import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  unlinkSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openSocketDiagnostics } from "../../../linux/socket.ts";
import { hostOfAddress } from "../../../net/canonical-host.ts";
import { clientSocketPair } from "../01-intercept/client-socket-pair.ts";
import { type Intercepted, isRefusal } from "../connection.ts";
import { createIdentifyContext, type IdentifyContext, identify } from "./identify.ts";

const directory = mkdtempSync(join(tmpdir(), "openshell-test-"));
const firstUseFile = join(directory, "first-use.jsonl");
const bash = realpathSync("/bin/bash");
const children: ChildProcess[] = [];
const sockets: Socket[] = [];
let server: Server;
let port: number;
let context: IdentifyContext;

function openContext(sockDiag: number | undefined = openSocketDiagnostics()): Promise<IdentifyContext> {
  // Whoever started the tests stands for init.
  return createIdentifyContext({ procfs: "/proc", initPid: process.ppid, sockDiag, firstUseFile });
}

before(async () => {
  server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
  context = await openContext();
});
after(async () => {
  // Each child leads a process group, which holds what it started.
  for (const { pid } of children) if (pid !== undefined) killGroup(pid);
  for (const socket of sockets) socket.destroy();
  server.close();
  await context[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

/** Starts a program that connects to `port`; gives the connection as it is seen here. */
async function connectionOf(
  command: string,
  args: readonly string[],
): Promise<{ connection: Intercepted; child: ChildProcess; socket: Socket }> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], detached: true });
  children.push(child);
  const [socket] = (await once(server, "connection")) as [Socket];
  sockets.push(socket);
  socket.on("error", () => {});
  const client = clientSocketPair(socket);
  assert.ok(client);
  const connection: Intercepted = {
    id: "1",
    listener: "proxy",
    awaiting: "nothing",
    stream: socket,
    client,
    destination: { host: hostOfAddress({ family: 4, text: "192.0.2.1" }), port: 443 },
    asked: "192.0.2.1:443",
    startedAt: 0,
  };
  return { connection, child, socket };
}

/** A shell that connects, then waits until its input ends. */
const shellThatConnects = (): string => `exec 3<>/dev/tcp/127.0.0.1/${port}; read line`;

async function holdersOf(connection: Intercepted, from = context) {
  const result = await identify(connection, from);
  assert.ok(!isRefusal(result), JSON.stringify(isRefusal(result) && result.refused));
  return result.holders;
}

describe("identifying who connects", () => {
  it("gives path, digest, ancestors and command line of the program", async () => {
    const { connection, child } = await connectionOf(bash, ["-c", `${bash} -c '${shellThatConnects()}'; true`]);
    const [holder, ...others] = await holdersOf(connection);
    assert.ok(holder);
    assert.deepEqual(others, []);
    assert.equal(holder.path, bash);
    assert.equal(holder.sha256, createHash("sha256").update(readFileSync(bash)).digest("hex"));
    assert.deepEqual(holder.commandLine, [bash, "-c", shellThatConnects()]);
    assert.equal(holder.script, undefined);
    const self = readlinkSync("/proc/self/exe");
    assert.deepEqual(holder.ancestors.slice(0, 2), [
      { pid: child.pid, path: bash },
      { pid: process.pid, path: self },
    ]);
    assert.ok(holder.ancestors.every(({ pid }) => pid !== process.ppid));
  });

  it("finds the same by the tables of /proc/net where sock_diag is missing", async () => {
    const withoutDiag = await openContext(undefined);
    const { connection, child } = await connectionOf(bash, ["-c", shellThatConnects()]);
    const holders = await holdersOf(connection, { ...withoutDiag, sockDiag: undefined });
    assert.deepEqual(
      holders.map(({ pid }) => pid),
      [child.pid],
    );
    await withoutDiag[Symbol.asyncDispose]();
  });

  it("finds everyone who inherited the socket", async () => {
    const shared = `exec 3<>/dev/tcp/127.0.0.1/${port}; sleep 600 & echo forked; read line`;
    const { connection, child: parent } = await connectionOf(bash, ["-c", shared]);
    await once(parent.stdout ?? parent, "data");
    const holders = await holdersOf(connection);
    assert.equal(holders.length, 2);
    assert.ok(holders.some(({ pid }) => pid === parent.pid));
  });

  it("names the script that an interpreter runs", async () => {
    const script = join(directory, "agent.sh");
    appendFileSync(script, `${shellThatConnects()}\n`);
    const { connection } = await connectionOf(bash, [script, "argument"]);
    assert.equal((await holdersOf(connection))[0]?.script, script);
  });

  it("refuses a connection that nobody holds any more", async () => {
    const { connection, child, socket } = await connectionOf(bash, ["-c", shellThatConnects()]);
    socket.resume();
    const ended = once(socket, "end");
    child.kill("SIGKILL");
    await ended;
    const result = await identify(connection, context);
    assert.ok(isRefusal(result));
    // The machine's whole /proc stands for the sandbox's here, and another user's process can't be read.
    assert.match(result.refused, /^identify\.(?:no_holder|unreadable)$/);
  });
});

describe("a program in the place of another", () => {
  it("is refused, also after a restart of the supervisor", async () => {
    const program = join(directory, "tool");
    copyFileSync(bash, program);
    const first = await connectionOf(program, ["-c", shellThatConnects()]);
    assert.equal((await holdersOf(first.connection))[0]?.path, program);
    unlinkSync(program);
    copyFileSync(bash, program);
    appendFileSync(program, "changed");
    const second = await connectionOf(program, ["-c", shellThatConnects()]);
    const result = await identify(second.connection, context);
    assert.ok(isRefusal(result));
    assert.equal(result.refused, "identify.binary_changed");
    const restarted = await openContext();
    const again = await identify(second.connection, restarted);
    assert.ok(isRefusal(again));
    assert.equal(again.refused, "identify.binary_changed");
    // The first, still running, is what it was, although its name now leads to another file.
    assert.equal((await holdersOf(first.connection, restarted))[0]?.path, program);
    await restarted[Symbol.asyncDispose]();
  });

  it("is not remembered, and not let through, while its digest can't be kept", async (t) => {
    const program = join(directory, "newcomer");
    copyFileSync(bash, program);
    const { connection } = await connectionOf(program, ["-c", shellThatConnects()]);
    await using handle = await open(firstUseFile);
    const failing = t.mock.method(Object.getPrototypeOf(handle), "appendFile", async () => {
      throw new Error("ENOSPC: no space left on device");
    });
    const results = await Promise.all([identify(connection, context), identify(connection, context)]);
    for (const result of results) {
      assert.ok(isRefusal(result));
      assert.equal(result.refused, "audit.unwritable");
      assert.match(result.detail, /newcomer/);
    }
    failing.mock.restore();
    assert.equal((await holdersOf(connection))[0]?.path, program);
    assert.match(readFileSync(firstUseFile, "utf8"), /newcomer/);
  });

  it("can't pass for deleted by its name", async () => {
    const program = join(directory, "kept (deleted)");
    copyFileSync(bash, program);
    const { connection } = await connectionOf(program, ["-c", shellThatConnects()]);
    assert.equal((await holdersOf(connection))[0]?.path, program);
  });
});
