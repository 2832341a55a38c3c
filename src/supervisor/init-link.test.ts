import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { finished } from "node:stream/promises";
import { describe, it } from "node:test";
import {
  encodeFrame,
  encodeJsonFrame,
  encodeNumberFrame,
  type Frame,
  FrameReader,
  frame,
  INPUT_WINDOW,
  MAX_FRAME_BYTES,
  OUTPUT_WINDOW,
  type SpawnRequest,
} from "../init/protocol.ts";
import { createInitLink, type InitLink, ProgramNotStarted } from "./init-link.ts";
import { connectedPair } from "./test-support/connected-pair.ts";

const request: SpawnRequest = { command: ["true"], environment: {}, workdir: "/" };

/** A link whose other end, init's, is in the test's hands. */
interface Ends extends AsyncDisposable {
  readonly link: InitLink;
  readonly init: Socket;
  /** The next frame that the supervisor sends. */
  next(): Promise<Frame>;
  readonly closed: Promise<Error | undefined>;
}

function openLink(): Ends {
  const [ours, init] = connectedPair();
  const closed = Promise.withResolvers<Error | undefined>();
  const link = createInitLink(ours, new FrameReader(), closed.resolve);
  const reader = new FrameReader();
  const frames: Frame[] = [];
  let wake = () => {};
  init.on("error", () => {});
  init.on("data", (bytes: Buffer) => {
    frames.push(...reader.push(Buffer.from(bytes)));
    wake();
  });
  return {
    link,
    init,
    closed: closed.promise,
    async next() {
      for (;;) {
        const first = frames.shift();
        if (first) return first;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async [Symbol.asyncDispose]() {
      init.destroy();
      await closed.promise;
    },
  };
}

describe("a program in the sandbox, as the supervisor sees it", () => {
  it("is asked for, tells its number, its output and its end", async () => {
    await using ends = openLink();
    const program = ends.link.start(request);
    const spawn = await ends.next();
    assert.equal(spawn.type, frame.spawn);
    assert.deepEqual(JSON.parse(spawn.payload.toString()), request);
    ends.init.write(encodeJsonFrame(frame.started, spawn.channel, { pid: 7 }));
    ends.init.write(encodeFrame(frame.stdout, spawn.channel, Buffer.from("out")));
    ends.init.write(encodeFrame(frame.stderr, spawn.channel, Buffer.from("err")));
    ends.init.write(encodeJsonFrame(frame.exited, spawn.channel, { code: 3, signal: 0 }));
    assert.equal(await program.started, 7);
    assert.deepEqual(await program.exited, { code: 3, signal: 0 });
    assert.deepEqual(await Promise.all([textOf(program.stdout), textOf(program.stderr)]), ["out", "err"]);
  });

  it("that could not be started says why", async () => {
    await using ends = openLink();
    const program = ends.link.start(request);
    const { channel } = await ends.next();
    ends.init.write(encodeJsonFrame(frame.failed, channel, { code: "ENOENT", message: "no such program" }));
    await assert.rejects(program.started, new ProgramNotStarted("ENOENT", "no such program"));
    await assert.rejects(program.exited, ProgramNotStarted);
  });

  it("with more words than a frame holds is refused here, and the sandbox goes on", async () => {
    await using ends = openLink();
    const huge = ends.link.start({ ...request, command: ["echo", "x".repeat(MAX_FRAME_BYTES)] });
    await assert.rejects(huge.started, ({ code }: ProgramNotStarted) => code === "E2BIG");
    const program = ends.link.start(request);
    const { channel } = await ends.next();
    ends.init.write(encodeJsonFrame(frame.started, channel, { pid: 7 }));
    assert.equal(await program.started, 7);
  });

  it("ends with the sandbox", async () => {
    await using ends = openLink();
    const program = ends.link.start(request);
    await ends.next();
    ends.init.destroy();
    await assert.rejects(program.exited, /the sandbox ended/);
    await finished(program.stdout.resume());
  });

  it("can't be started once the sandbox has ended, and says so", async () => {
    const { link, init, closed } = openLink();
    init.destroy();
    await closed;
    const program = link.start(request);
    await assert.rejects(program.started, /the sandbox ended/);
    await assert.rejects(program.exited, /the sandbox ended/);
  });

  it("gets its input, the input's end, signals and sizes", async () => {
    await using ends = openLink();
    const program = ends.link.start(request);
    const { channel } = await ends.next();
    program.stdin.end("typed");
    const typed = await ends.next();
    assert.deepEqual([typed.type, typed.channel, typed.payload.toString()], [frame.stdin, channel, "typed"]);
    assert.equal((await ends.next()).type, frame.stdinEnd);
    program.signal(15);
    assert.equal((await ends.next()).payload.readUInt32LE(0), 15);
    program.resize(132, 43);
    const size = await ends.next();
    assert.deepEqual([size.payload.readUInt16LE(0), size.payload.readUInt16LE(2)], [132, 43]);
  });

  it("gets no more input than it has room for, even if init claims that it has", async () => {
    await using ends = openLink();
    const program = ends.link.start(request);
    const { channel } = await ends.next();
    ends.init.pause();
    ends.init.write(encodeNumberFrame(frame.inputCredit, channel, 0xffffffff));
    ends.init.write(encodeJsonFrame(frame.started, channel, { pid: 7 }));
    await program.started;
    const half = Buffer.alloc(INPUT_WINDOW / 2);
    let taken = 0;
    for (let piece = 0; piece < 8; piece++) program.stdin.write(half, () => taken++);
    await turnOfTheLoop();
    assert.equal(taken, 1);
  });

  it("is credited for output as it is read, and not before", async () => {
    await using ends = openLink();
    const program = ends.link.start(request);
    const { channel } = await ends.next();
    ends.init.write(encodeFrame(frame.stdout, channel, Buffer.alloc(OUTPUT_WINDOW)));
    program.stdout.resume();
    const credit = await ends.next();
    assert.equal(credit.type, frame.outputCredit);
    assert.equal(credit.payload.readUInt32LE(0), OUTPUT_WINDOW);
  });
});

describe("what makes no sense ends the link, and with it the sandbox", () => {
  const nonsense: Readonly<Record<string, (channel: number) => Buffer>> = {
    "a frame longer than any": () => Buffer.from([0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0, 0]),
    "a frame shorter than its header": () => Buffer.from([0, 0, 0, 0]),
    "an unknown type": (channel) => encodeFrame(99 as never, channel),
    "a process id that is none": (channel) => encodeJsonFrame(frame.started, channel, { pid: "1" }),
    "an exit code beyond 255": (channel) => encodeJsonFrame(frame.exited, channel, { code: 256, signal: 0 }),
    "JSON that is none": (channel) => encodeFrame(frame.exited, channel, Buffer.from("{")),
    "credit without a number": (channel) => encodeFrame(frame.inputCredit, channel, Buffer.from([1])),
    "output far beyond the credit given": (channel) => {
      const piece = encodeFrame(frame.stdout, channel, Buffer.alloc(OUTPUT_WINDOW));
      return Buffer.concat(Array.from({ length: 2 + MAX_FRAME_BYTES / OUTPUT_WINDOW }, () => piece));
    },
  };
  for (const [what, bytes] of Object.entries(nonsense)) {
    it(what, async () => {
      await using ends = openLink();
      const program = ends.link.start(request);
      const { channel } = await ends.next();
      ends.init.write(bytes(channel));
      assert.ok((await ends.closed) instanceof Error);
      await assert.rejects(program.exited, /the sandbox ended/);
    });
  }

  it("but not a frame for a program that has just ended", async () => {
    await using ends = openLink();
    ends.init.write(encodeFrame(frame.stdout, 4711, Buffer.from("late")));
    const program = ends.link.start(request);
    const { channel } = await ends.next();
    ends.init.write(encodeJsonFrame(frame.started, channel, { pid: 7 }));
    assert.equal(await program.started, 7);
  });
});

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const piece of stream) text += piece.toString();
  return text;
}

/** Everything that is ready has happened by then. */
const turnOfTheLoop = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
