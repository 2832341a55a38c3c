import assert from "node:assert/strict";
import { constants } from "node:os";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import type { Exited, SpawnRequest } from "../init/protocol.ts";
import { exec } from "./exec.ts";
import type { ExecChannel, ExecListener } from "./exec-channel.ts";
import { type InitLink, ProgramNotStarted, type SandboxProgram } from "./init-link.ts";

/** An init whose one program does what the test says. */
function fakeInit() {
  const requests: SpawnRequest[] = [];
  const signals: number[] = [];
  const sizes: [number, number][] = [];
  const started = Promise.withResolvers<number>();
  const exited = Promise.withResolvers<Exited>();
  started.promise.catch(() => undefined);
  exited.promise.catch(() => undefined);
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const program: SandboxProgram = {
    stdin,
    stdout,
    stderr,
    started: started.promise,
    exited: exited.promise,
    resize: (columns, rows) => void sizes.push([columns, rows]),
    signal: (number) => void signals.push(number),
  };
  const link: InitLink = {
    start(request) {
      requests.push(request);
      return program;
    },
    connect: () => assert.fail("a command is no connection"),
    listen: () => assert.fail("a command is no listener"),
    signalAll: () => undefined,
    close: () => undefined,
  };
  const end = (how: Exited) => {
    stdout.end();
    stderr.end();
    exited.resolve(how);
  };
  const fail = (error: Error) => {
    stdout.end();
    stderr.end();
    started.reject(error);
    exited.reject(error);
  };
  return { link, requests, signals, sizes, stdin, stdout, stderr, started, end, fail };
}

function fakeChannel() {
  const exit = Promise.withResolvers<number>();
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  let listener: ExecListener | undefined;
  const channel: ExecChannel = {
    stdin,
    stdout,
    stderr,
    listen: (given) => {
      listener = given;
    },
    exit: (code) => {
      stdout.end();
      stderr.end();
      exit.resolve(code);
    },
  };
  return { channel, stdin, stdout, stderr, exit: exit.promise, listener: () => listener as ExecListener };
}

/** A command on its way, with both its ends in the test's hands. */
function run(request: Parameters<typeof exec>[0] = { command: ["program", "argument"] }) {
  const init = fakeInit();
  const client = fakeChannel();
  const record: unknown[] = [];
  exec(request, client.channel, {
    init: init.link,
    environment: { HOME: "/sandbox", TERM: "dumb" },
    workdir: "/sandbox",
    onStarted: (pid, command) => {
      record.push([pid, command]);
      return (how) => record.push(how);
    },
  });
  return { init, client, record };
}

describe("a command that a client asks for", () => {
  it("gets its input, gives its output and its exit code, and is on record", async () => {
    const { init, client, record } = run();
    client.stdin.end("typed");
    init.started.resolve(7);
    assert.equal(await text(init.stdin), "typed");
    init.stdout.write("out");
    init.stderr.write("err");
    init.end({ code: 3, signal: 0 });
    assert.equal(await client.exit, 3);
    assert.deepEqual(await Promise.all([text(client.stdout), text(client.stderr)]), ["out", "err"]);
    assert.deepEqual(record, [[7, ["program", "argument"]], { code: 3, signal: 0 }]);
  });

  it("runs in /sandbox with the sandbox's environment, over which its own goes", () => {
    const { init } = run({ command: ["env"], environment: { TERM: "xterm", OWN: "1" } });
    assert.deepEqual(init.requests, [
      { command: ["env"], environment: { HOME: "/sandbox", TERM: "xterm", OWN: "1" }, workdir: "/sandbox" },
    ]);
  });

  it("is a login shell if there is none, on a terminal of the size asked for", () => {
    const { init } = run({ tty: true, cols: 132, rows: 43 });
    assert.deepEqual(init.requests[0]?.command, ["/bin/bash", "-l"]);
    assert.deepEqual(init.requests[0]?.terminal, { columns: 132, rows: 43 });
  });

  it("that a signal ended gives 128 and the signal's number", async () => {
    const { init, client } = run();
    init.started.resolve(7);
    init.end({ code: null, signal: constants.signals.SIGKILL });
    assert.equal(await client.exit, 137);
  });

  for (const [code, errno, said] of [
    [127, "ENOENT", "command not found"],
    [126, "EACCES", "permission denied"],
    [126, "ENOEXEC", "not a program of this kind of machine"],
    [126, "E2BIG", "the arguments and the environment are too long together"],
    [126, "EIO", "spawn program EIO"],
  ] as const) {
    it(`that can't be run gives ${code} for ${errno}, and says so as a shell does`, async () => {
      const { init, client } = run();
      init.fail(new ProgramNotStarted(errno, `spawn program ${errno}`));
      assert.equal(await client.exit, code);
      assert.equal(await text(client.stderr), `openshell: program: ${said}\n`);
    });
  }

  it("ends with the sandbox, as if it had been killed", async () => {
    const { init, client } = run();
    init.fail(new Error("the sandbox ended"));
    assert.equal(await client.exit, 137);
    assert.equal(await text(client.stderr), "openshell: the sandbox ended\n");
  });

  it("gets signals by name and sizes; a name that is none counts as SIGTERM", () => {
    const { init, client } = run();
    for (const name of ["SIGINT", "SIGNONSENSE"]) client.listener().signal(name);
    client.listener().resize({ cols: 100, rows: 30 });
    assert.deepEqual(init.signals, [constants.signals.SIGINT, constants.signals.SIGTERM]);
    assert.deepEqual(init.sizes, [[100, 30]]);
  });

  it("is told when its client goes, and may then write without anybody reading", async () => {
    const { init, client, record } = run();
    init.started.resolve(7);
    client.listener().closed();
    assert.deepEqual(init.signals, [constants.signals.SIGHUP]);
    // Far more than any buffer on the way holds: it would stand still if it were not read.
    const written = new Promise((resolve) => init.stdout.write(Buffer.alloc(1024 * 1024), resolve));
    await written;
    init.end({ code: 0, signal: 0 });
    assert.equal(await client.exit, 0);
    assert.equal(record.length, 2);
  });

  it("is not told after its regular end", async () => {
    const { init, client } = run();
    init.started.resolve(7);
    init.end({ code: 0, signal: 0 });
    await client.exit;
    client.listener().closed();
    assert.deepEqual(init.signals, []);
  });

  it("that takes longer than it may is ended, killed if it does not go, and gives 124", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const { init, client } = run({ command: ["slow"], timeoutSeconds: 2 });
    init.started.resolve(7);
    await new Promise((resolve) => setImmediate(resolve));
    context.mock.timers.tick(2_000);
    assert.deepEqual(init.signals, [constants.signals.SIGTERM]);
    context.mock.timers.tick(5_000);
    assert.deepEqual(init.signals, [constants.signals.SIGTERM, constants.signals.SIGKILL]);
    init.end({ code: null, signal: constants.signals.SIGKILL });
    assert.equal(await client.exit, 124);
    assert.match(await text(client.stderr), /ended after 2 s/);
  });
});
