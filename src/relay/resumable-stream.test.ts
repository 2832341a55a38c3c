import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, it } from "node:test";
import fc from "fast-check";
import { RELAY_WINDOW_BYTES } from "./limits.ts";
import { RelayClosed, ResumableStream } from "./resumable-stream.ts";

/** One side of a connection that breaks, in the middle of a frame or anywhere, after so many bytes of both directions. */
class Side extends Duplex {
  other: Side | undefined;
  private readonly budget: { left: number };

  constructor(budget: { left: number }) {
    super({ allowHalfOpen: true });
    this.budget = budget;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const passed = Buffer.from(chunk.subarray(0, this.budget.left));
    this.budget.left -= passed.length;
    // As on a network: what was sent is under way for a moment, and a break overtakes it or does not.
    setImmediate(() => {
      if (passed.length > 0 && !this.other?.destroyed) this.other?.push(passed);
      if (this.budget.left === 0) this.break();
      done();
    });
  }

  override _final(done: () => void): void {
    setImmediate(() => {
      if (!this.other?.destroyed) this.other?.push(null);
      done();
    });
  }

  override _read(): void {}

  break(): void {
    this.destroy();
    this.other?.destroy();
  }
}

function connection(afterBytes: number): [Side, Side] {
  const budget = { left: afterBytes };
  const [one, other] = [new Side(budget), new Side(budget)];
  one.other = other;
  other.other = one;
  return [one, other];
}

/** Two ends that get a new connection whenever the one before has broken; the last one holds. */
function connectedEnds(breaks: readonly number[]): [ResumableStream, ResumableStream] {
  const [client, server] = [new ResumableStream(), new ResumableStream()];
  const lives = [...breaks, Number.POSITIVE_INFINITY];
  let isFirst = true;
  const connect = () => {
    if (client.destroyed && server.destroyed) return;
    const [ours, theirs] = connection(lives.shift() ?? Number.POSITIVE_INFINITY);
    // The side that notices last may still have the old one.
    ours.once("close", () => setImmediate(connect));
    server.attach(theirs, { isFirst });
    client.attach(ours, { isFirst });
    isFirst = false;
  };
  connect();
  return [client, server];
}

/** All that comes; what a stream's iterator would do besides is to close the other direction, too. */
async function whole(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(stream, "end");
  return Buffer.concat(chunks);
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));

describe("a stream over connections that break", () => {
  it("brings every byte once and in order, both ways, wherever they break", async () => {
    const messages = fc.array(bytes(300), { maxLength: 20 });
    const breaks = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(messages, messages, breaks, async (asked, answered, cuts) => {
        const [client, server] = connectedEnds(cuts);
        const sending = [pipeline(Readable.from(asked), client), pipeline(Readable.from(answered), server)];
        const [question, answer] = await Promise.all([whole(server), whole(client)]);
        assert.deepEqual(question, Buffer.concat(asked));
        assert.deepEqual(answer, Buffer.concat(answered));
        await Promise.all(sending);
      }),
      { numRuns: 150 },
    );
  });

  it("brings megabytes, many times what may be under way, and keeps no more than the window of them", async () => {
    const sent = Array.from({ length: 48 }, () => randomBytes(256 * 1024));
    const [client, server] = connectedEnds([3_000_000, 1, 500_000, 14, 2_000_000, 100_000, 1_000_001]);
    const writing = pipeline(Readable.from(sent), client);
    const digest = createHash("sha256");
    server.on("data", (chunk: Buffer) => {
      digest.update(chunk);
      assert.ok(server.readableLength <= RELAY_WINDOW_BYTES);
    });
    await once(server, "end");
    assert.equal(digest.digest("hex"), createHash("sha256").update(Buffer.concat(sent)).digest("hex"));
    server.end();
    client.resume();
    await writing;
  });

  it("makes a writer wait while its reader does not read, through any number of breaks", async () => {
    const [client, server] = connectedEnds(Array.from({ length: 8 }, () => 700_000));
    let written = 0;
    const chunk = randomBytes(64 * 1024);
    const write = () => {
      client.write(chunk, () => {
        written += chunk.length;
        write();
      });
    };
    write();
    for (let turn = 0; turn < 400; turn++) await new Promise((resolve) => setImmediate(resolve));
    // One window under way or in the reader's hands, and what a stream buffers by itself.
    assert.ok(written <= 2 * RELAY_WINDOW_BYTES, `${written} bytes were taken from the writer`);
    assert.ok(server.readableLength <= 2 * RELAY_WINDOW_BYTES);
    client.on("error", () => {}).destroy();
    server.on("error", () => {}).destroy();
  });

  it("ends one direction while the other goes on", async () => {
    const [client, server] = connectedEnds([20, 30]);
    const closed = Promise.all([once(client, "close"), once(server, "close")]);
    client.end("question");
    assert.equal((await whole(server)).toString(), "question");
    server.end("answer");
    assert.equal((await whole(client)).toString(), "answer");
    await closed;
    assert.deepEqual([client.errored, client.isSettled, server.isSettled], [null, true, true]);
  });

  it("tells an end that missed the last word that all has arrived", async () => {
    const [client, server] = connectedEnds([]);
    client.end("all");
    server.end();
    await Promise.all([whole(server), whole(client), once(server, "close")]);
    const [late, gone] = connection(Number.POSITIVE_INFINITY);
    server.attach(gone);
    const answer = await whole(late);
    // An acknowledgement of three bytes and the end.
    assert.deepEqual([answer[0], answer.readUInt32BE(9)], [3, 4]);
  });
});

describe("a stream that is given up", () => {
  it("tells the other end why", async () => {
    const [client, server] = connectedEnds([]);
    const failed = once(client, "error");
    server.on("error", () => {}).destroy(new Error("the sandbox ended"));
    const [error] = await failed;
    assert.ok(error instanceof RelayClosed);
    assert.equal(error.message, "the sandbox ended");
  });

  it("tells it later, if there is no path now", async () => {
    const [client, server] = [new ResumableStream(), new ResumableStream()];
    server.on("error", () => {}).destroy(new Error("the sandbox ended"));
    const [ours, theirs] = connection(Number.POSITIVE_INFINITY);
    const failed = once(client, "error");
    client.attach(ours);
    server.attach(theirs);
    assert.equal((await failed)[0].message, "the sandbox ended");
  });

  it("is given up by itself when nobody comes back", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const stream = new ResumableStream();
    const [ours, theirs] = connection(Number.POSITIVE_INFINITY);
    stream.attach(ours, { isFirst: true });
    theirs.break();
    await once(ours, "close");
    context.mock.timers.tick(9 * 60_000);
    assert.equal(stream.destroyed, false);
    const failed = once(stream, "error");
    context.mock.timers.tick(2 * 60_000);
    assert.ok((await failed)[0] instanceof RelayClosed);
  });

  it("waits for a client that has ended only as long as one needs that was cut off", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const stream = new ResumableStream();
    const [ours] = connection(Number.POSITIVE_INFINITY);
    stream.attach(ours, { isFirst: true });
    stream.expectNobody(ours, 2_000);
    const failed = once(stream, "error");
    context.mock.timers.tick(2_001);
    assert.ok((await failed)[0] instanceof RelayClosed);
  });

  it("leaves a path on which nothing comes any more", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const stream = new ResumableStream();
    const [ours] = connection(Number.POSITIVE_INFINITY);
    stream.attach(ours, { isFirst: true });
    const closed = once(ours, "close");
    context.mock.timers.tick(31_000);
    await closed;
    assert.equal(stream.destroyed, false);
    stream.on("error", () => {}).destroy();
  });
});

describe("an end that does not keep to the rules", () => {
  const header = (type: number, length: number, offset: number) => {
    const bytes = Buffer.alloc(13);
    bytes[0] = type;
    bytes.writeUInt32BE(length, 1);
    bytes.writeUInt32BE(offset, 9);
    return bytes;
  };

  for (const [what, said] of [
    ["skips bytes", Buffer.concat([header(1, 1, 5), Buffer.from("x")])],
    ["ends before its bytes have come", header(2, 0, 9)],
    ["sends frames that there are not", header(9, 0, 0)],
    ["sends more than may wait", Buffer.concat([header(1, 2 ** 21, 0), Buffer.alloc(2 ** 21)])],
    ["closes with a novel", header(4, 100_000, 0)],
  ] as const) {
    it(`loses its path if it ${what}, and nothing of the stream`, async () => {
      const stream = new ResumableStream();
      const [ours, theirs] = connection(Number.POSITIVE_INFINITY);
      stream.attach(ours, { isFirst: true });
      theirs.resume().write(said);
      await once(ours, "close");
      assert.equal(stream.destroyed, false);
      stream.on("error", () => {}).destroy();
    });
  }

  it("ends the stream if it has what was never sent", async () => {
    const stream = new ResumableStream();
    const [ours, theirs] = connection(Number.POSITIVE_INFINITY);
    stream.attach(ours, { isFirst: true });
    const failed = once(stream, "error");
    theirs.resume().write(header(3, 0, 77));
    assert.match((await failed)[0].message, /do not fit together/);
  });
});
