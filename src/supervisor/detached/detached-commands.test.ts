import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { DetachedCommandJson } from "../../gen/openshell/v1/exec_pb.ts";
import type { Exited } from "../../init/protocol.ts";
import type { ExecContext } from "../exec.ts";
import type { ExecChannel, ExecListener } from "../exec-channel.ts";
import { type InitLink, ProgramNotStarted, type SandboxProgram } from "../init-link.ts";
import { DetachedCommands, maxDetachedCommands } from "./detached-commands.ts";

/** An init whose programs do what the test says. */
function fakeInit() {
  const programs: ReturnType<typeof fakeProgram>[] = [];
  const link: InitLink = {
    start: () => {
      const made = fakeProgram();
      programs.push(made);
      return made.program;
    },
    connect: () => assert.fail("a command is no connection"),
    listen: () => assert.fail("a command is no listener"),
    signalAll: () => undefined,
    close: () => undefined,
  };
  return { context: { init: link, environment: {}, workdir: "/", onStarted: () => () => undefined }, programs };
}

function fakeProgram() {
  const [started, exited] = [Promise.withResolvers<number>(), Promise.withResolvers<Exited>()];
  exited.promise.catch(() => undefined);
  const signals: number[] = [];
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const program: SandboxProgram = {
    ...{ stdin, stdout, stderr },
    started: started.promise,
    exited: exited.promise,
    resize: () => undefined,
    signal: (number) => void signals.push(number),
  };
  const end = (settle: () => void) => {
    stdout.end();
    stderr.end();
    settle();
  };
  return {
    program,
    signals,
    stdout,
    stderr,
    start: () => started.resolve(1),
    exit: (code: number) => end(() => exited.resolve({ code, signal: 0 })),
    fail: (error: Error) =>
      end(() => {
        started.reject(error);
        exited.reject(error);
      }),
  };
}

/** A client's end, as far as a command without input needs one. */
function client() {
  const exit = Promise.withResolvers<number>();
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  let listener: ExecListener | undefined;
  const channel: ExecChannel = {
    ...{ stdin, stdout, stderr },
    listen: (given) => {
      listener = given;
    },
    exit: (code) => {
      stdout.end();
      stderr.end();
      exit.resolve(code);
    },
  };
  const all = async () => ({ out: await text(stdout), err: await text(stderr), code: await exit.promise });
  return { channel, stdout, all, listener: () => listener };
}

describe("a command without a client", () => {
  let directory: string;
  let told: DetachedCommandJson[] = [];
  const make = () => new DetachedCommands(directory, (commands) => (told = commands));
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "openshell-detached-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  async function start(commands: DetachedCommands, context: ExecContext, at: () => ReturnType<typeof fakeProgram>) {
    const first = client();
    commands.start({ command: ["make", "test"], detach: true }, first.channel, context);
    at().start();
    const { out, code } = await first.all();
    assert.match(out, /^[0-9a-f]{8}\n$/);
    assert.equal(code, 0);
    return out.trim();
  }

  it("gives its client an id, goes on without it, and is seen by others from the beginning", async () => {
    const { context, programs } = fakeInit();
    const commands = make();
    const id = await start(commands, context, () => programs[0] ?? assert.fail());
    const [program] = programs;
    assert.ok(program);
    assert.deepEqual(
      told.map(({ command, exitCode }) => [command, exitCode]),
      [[["make", "test"], undefined]],
    );
    program.stdout.write("one\n");
    program.stderr.write("two\n");
    const second = client();
    commands.attach({ attach: id }, second.channel);
    assert.equal(
      `${await new Promise((resolve) => second.stdout.once("readable", () => resolve(second.stdout.read())))}`,
      "one\n",
    );
    second.listener()?.signal("SIGTERM");
    assert.deepEqual(program.signals, [15]);
    program.stdout.write("three\n");
    program.exit(3);
    assert.deepEqual(await second.all(), { out: "three\n", err: "two\n", code: 3 });
    const later = client();
    commands.attach({ attach: id, tailLines: 2 }, later.channel);
    assert.deepEqual(await later.all(), { out: "three\n", err: "two\n", code: 3 });
    assert.equal(told[0]?.exitCode, 3);
  });

  it("is remembered from start to start of its sandbox, with its output", async () => {
    const { context, programs } = fakeInit();
    const commands = make();
    const ids = [
      await start(commands, context, () => programs[0] ?? assert.fail()),
      await start(commands, context, () => programs[1] ?? assert.fail()),
    ];
    programs[0]?.stdout.write("done");
    programs[0]?.exit(0);
    const wait = client();
    commands.attach({ attach: ids[0] ?? "" }, wait.channel);
    await wait.all();

    const next = make();
    assert.deepEqual(
      next.list().map(({ id, exitCode }) => [id, exitCode]),
      [
        [ids[0], 0],
        [ids[1], 137],
      ],
    );
    const seen = client();
    next.attach({ attach: ids[0] ?? "" }, seen.channel);
    assert.deepEqual(await seen.all(), { out: "done", err: "", code: 0 });
  });

  it("that can't be started is an answer, and nothing is remembered of it", async () => {
    const { context, programs } = fakeInit();
    const commands = make();
    const first = client();
    commands.start({ command: ["no-such"], detach: true }, first.channel, context);
    programs[0]?.fail(new ProgramNotStarted("ENOENT", "no such file"));
    assert.deepEqual(await first.all(), { out: "", err: "openshell: no-such: command not found\n", code: 127 });
    await new Promise(setImmediate);
    assert.deepEqual(commands.list(), []);
    assert.deepEqual(readdirSync(join(directory, "commands")), []);
  });

  it("is refused where too many run, and pushes out the one that ended first", async () => {
    const { context, programs } = fakeInit();
    const commands = make();
    const ids: string[] = [];
    for (let at = 0; at < maxDetachedCommands; at += 1) {
      ids.push(await start(commands, context, () => programs[at] ?? assert.fail()));
    }
    const refused = client();
    commands.start({ command: ["one-more"], detach: true }, refused.channel, context);
    const { err, code } = await refused.all();
    assert.match(err, /32 commands run/);
    assert.equal(code, 125);
    programs[5]?.exit(0);
    const wait = client();
    commands.attach({ attach: ids[5] ?? "" }, wait.channel);
    await wait.all();
    const last = await start(commands, context, () => programs.at(-1) ?? assert.fail());
    assert.deepEqual(
      commands.list().map(({ id }) => id),
      [...ids.filter((id) => id !== ids[5]), last],
    );
  });

  it("that nobody knows is an error for whoever asks", () => {
    const { channel, all } = client();
    make().attach({ attach: "00000000" }, channel);
    return all().then(({ err, code }) => {
      assert.match(err, /no command 00000000/);
      assert.equal(code, 125);
    });
  });
});
