/** What clients and upstreams can take of a sandbox by HTTP/2: each limit met by a client that goes beyond it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { constants, type Http2Stream } from "node:http2";
import { beforeEach, describe, it, type TestContext } from "node:test";
import { maxFields } from "../../../../net/http1-fields.ts";
import { frameTypes } from "../../../../net/http2-frames.ts";
import {
  bodyIdleMs,
  maxConcurrentStreams,
  maxOpenStreams,
  maxStreamsPerConnection,
  relayIdleMs,
  responseHeadTimeoutMs,
  upstreamDataBytes,
} from "../../10-forward/limits.ts";
import {
  answerTo,
  frame,
  type Http2Client,
  Http2World,
  headerBlock,
  type Upstream,
} from "../../test-support/http2-world.ts";
import { noRule } from "../../test-support/loopback-world.ts";
import { endHeaders, endStream, RawHttp2 } from "../../test-support/raw-http2.ts";

const { continuation, data, headers, rstStream } = frameTypes;

const ok: Upstream = (stream) => stream.respond({ ":status": 200 }, { endStream: true });

/** Not the one that tests put in its place. */
const wait = setTimeout;
/** Lets what is under way on loopback arrive. */
const settle = () => new Promise((resolve) => wait(resolve, 50));
/** Takes the first piece and no other; waits until what is sent ahead is here, and its sender has to wait. */
const stall = async (stream: Http2Stream) => {
  await once(stream, "data");
  stream.pause();
  for (let held = -1; stream.readableLength !== held; await settle()) held = stream.readableLength;
};

describe("the open streams of a sandbox", () => {
  it("are limited over all connections, and share what upstreams may send ahead", async () => {
    await using world = new Http2World();
    let promised = 0;
    let arrived = 0;
    const all = Promise.withResolvers<void>();
    const hold: Upstream = (stream) => {
      promised += stream.session?.remoteSettings.initialWindowSize ?? Number.POSITIVE_INFINITY;
      if (++arrived === maxOpenStreams) all.resolve();
    };
    let client: Http2Client | undefined;
    for (let opened = 0; opened < maxOpenStreams; opened++) {
      if (opened % maxConcurrentStreams === 0) client = await world.client(hold);
      void client?.get("/");
      // In turn, so that each connection's settings are known when its next stream comes.
      while (arrived <= opened) await new Promise((resolve) => setImmediate(resolve));
    }
    await all.promise;
    assert.ok(promised <= upstreamDataBytes, `${promised} bytes may be sent ahead`);
    const refused = await client?.get("/");
    assert.equal(refused?.headers["x-openshell-reason"], "intercept.busy");
  });

  it("have larger windows again when there are few of them", async () => {
    await using world = new Http2World();
    const windows: number[] = [];
    const held: (() => void)[] = [];
    const client = await world.client((stream) => {
      windows.push(stream.session?.remoteSettings.initialWindowSize ?? 0);
      held.push(() => stream.respond({ ":status": 200 }, { endStream: true }));
    });
    const answers = [];
    while (answers.length < 65) {
      answers.push(client.get("/"));
      while (held.length < answers.length) await new Promise((resolve) => setImmediate(resolve));
    }
    for (const answer of held) answer();
    await Promise.all(answers);
    await settle();
    const last = client.get("/");
    while (held.length === answers.length) await settle();
    held.at(-1)?.();
    await last;
    assert.ok((windows.at(-2) ?? 0) < (windows[0] ?? 0));
    assert.equal(windows.at(-1), windows[0]);
  });
});

describe("the streams of one connection", () => {
  it("are limited over its life: then it ends in good order, with what is under way", async () => {
    await using world = new Http2World({ request: ({ path }) => (path === "/no" ? noRule : undefined) });
    const client = await world.client(ok);
    const goaway = once(client.session, "goaway");
    for (let served = 1; served < maxStreamsPerConnection; ) {
      const batch = Math.min(maxConcurrentStreams, maxStreamsPerConnection - served);
      await Promise.all(Array.from({ length: batch }, () => client.get("/no")));
      served += batch;
      world.audit.events.length = 0;
    }
    assert.equal((await client.get("/")).status, 200);
    assert.equal((await goaway)[0], 0);
  });
});

describe("a header list", () => {
  type Fields = readonly (readonly [string, string])[];
  /** Opens stream 1 with these fields; gives the frame that says what became of it. */
  const open = async (world: Http2World, fields: Fields) => {
    const { socket } = await world.tunnel(() => assert.fail("forwarded"));
    const client = new RawHttp2(socket, "client");
    const head = [
      [":method", "GET"],
      [":scheme", "http"],
      [":authority", world.authority],
      [":path", "/"],
    ] as const;
    const block = headerBlock([...head, ...fields]);
    const largest = 16_384;
    for (let at = 0; at < block.length; at += largest) {
      const flags = (at === 0 ? endStream : 0) | (at + largest >= block.length ? endHeaders : 0);
      client.say(frame(at === 0 ? headers : continuation, flags, 1, block.subarray(at, at + largest)));
    }
    return await client.until(({ type }) => type === rstStream || type === data);
  };

  it("that is too long is refused in words, and never forwarded", async () => {
    await using world = new Http2World();
    const fields = Array.from({ length: 8 }, (_, index) => [`x-${index}`, "x".repeat(10_000)] as const);
    const answer = await open(world, fields);
    assert.equal(JSON.parse(`${answer?.payload}`).reason, "inspect.too_large");
    assert.deepEqual(world.audit.events.slice(1), ["request refused inspect.too_large"]);
  });

  it("of too many fields is broken off as soon as it is, and on record", async () => {
    await using world = new Http2World();
    const answer = await open(
      world,
      Array.from({ length: maxFields + 1 }, (_, index) => [`x-${index}`, "x"] as const),
    );
    assert.equal(answer?.payload.readUInt32BE(0), constants.NGHTTP2_ENHANCE_YOUR_CALM);
    assert.deepEqual(world.audit.events.slice(1), ["request refused inspect.too_large"]);
  });
});

describe("a peer that is silent", () => {
  // What the test before opened has been closed by then: clearing a timer of another clock would take one of this test's.
  beforeEach(settle);
  /** Timers of ours alone: sockets have their own. */
  const clock = (context: TestContext) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    return { pass: (ms: number) => context.mock.timers.tick(ms) };
  };
  it("when it should answer is given up, in words", async (context) => {
    await using world = new Http2World();
    const { pass } = clock(context);
    const asked = Promise.withResolvers<void>();
    const client = await world.client(() => asked.resolve());
    const answer = client.get("/");
    await asked.promise;
    pass(responseHeadTimeoutMs);
    const { status, headers } = await answer;
    assert.deepEqual([status, headers["x-openshell-reason"]], [504, "forward.timeout"]);
  });

  it("in the middle of its response is given up", async (context) => {
    await using world = new Http2World();
    const { pass } = clock(context);
    const client = await world.client((stream) => {
      stream.respond({ ":status": 200 });
      stream.write("half");
    });
    const stream = client.session.request({ ":path": "/" });
    const answer = answerTo(stream);
    await once(stream, "data");
    pass(relayIdleMs);
    assert.equal((await answer).rstCode, 8);
    assert.equal(world.audit.events.at(-1), "request refused forward.timeout");
  });

  it("and does not take its response loses it", async (context) => {
    await using world = new Http2World();
    const { pass } = clock(context);
    const client = await world.client((stream) => {
      stream.respond({ ":status": 200 });
      stream.end(Buffer.alloc(4 * 1024 * 1024));
    });
    const stream = client.session.request({ ":path": "/" });
    stream.on("error", () => {});
    await stall(stream);
    pass(bodyIdleMs);
    while (!stream.closed) await settle();
    assert.equal(stream.rstCode, 8);
    assert.equal(world.audit.events.at(-1), "request refused forward.timeout");
  });

  it("and does not take a request's body is given up, in words", async (context) => {
    await using world = new Http2World();
    const { pass } = clock(context);
    const asked = Promise.withResolvers<Http2Stream>();
    const client = await world.client((stream) => asked.resolve(stream));
    const answer = client.post("/", "x".repeat(4 * 1024 * 1024));
    await stall(await asked.promise);
    pass(bodyIdleMs);
    const { status, headers } = await answer;
    assert.deepEqual([status, headers["x-openshell-reason"]], [504, "forward.timeout"]);
  });
});
