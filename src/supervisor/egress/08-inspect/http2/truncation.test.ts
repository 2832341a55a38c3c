/** A message that breaks off never looks like a whole one, in either direction, however its sender breaks it off. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { frameTypes } from "../../../../net/http2-frames.ts";
import { frame, Http2World, headerBlock } from "../../test-support/http2-world.ts";
import { endHeaders, endStream, type HeardFrame, RawHttp2 } from "../../test-support/raw-http2.ts";

const { data, goaway, headers, rstStream } = frameTypes;
const cancel = 8;
const internalError = 2;
const noError = 0;
const reset = (code: number) => frame(rstStream, 0, 1, Buffer.from([0, 0, 0, code]));
const ok = (...more: (readonly [string, string])[]) =>
  frame(headers, endHeaders, 1, headerBlock([[":status", "200"], ...more]));
const half = frame(data, 0, 1, Buffer.from("half"));
const whole = frame(data, endStream, 1, Buffer.from("whole"));

const ends = ({ type, flags, streamId }: HeardFrame) =>
  streamId === 1 && (type === rstStream || ((type === data || type === headers) && (flags & endStream) !== 0));
const resetCode = (heard: HeardFrame | undefined) =>
  heard?.type === rstStream ? heard.payload.readUInt32BE(0) : undefined;

interface Pair {
  readonly world: Http2World;
  readonly client: RawHttp2;
  /** There once a request's head has come. */
  readonly upstream: RawHttp2;
}

/** Opens stream 1 and hands both sides to `act` when its head has come to the upstream. */
async function withStream(flags: number, act: (pair: Pair) => Promise<void>): Promise<void> {
  await using world = new Http2World();
  const arrived = Promise.withResolvers<RawHttp2>();
  const { socket } = await world.tunnelTo(async (peer) => {
    const upstream = new RawHttp2(peer, "upstream");
    await upstream.until(({ type }) => type === headers);
    arrived.resolve(upstream);
  });
  const client = new RawHttp2(socket, "client");
  const method = flags === endStream ? "GET" : "POST";
  const head = [
    [":method", method],
    [":scheme", "http"],
    [":authority", world.authority],
    [":path", "/"],
  ] as const;
  client.say(frame(headers, endHeaders | flags, 1, headerBlock(head)));
  await act({ world, client, upstream: await arrived.promise });
  socket.destroy();
  while (world.path.open() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(world.defects, []);
}

describe("a response that the upstream breaks off", () => {
  const goneAway = (lastStream: number, code: number) =>
    frame(goaway, 0, 0, Buffer.from([0, 0, 0, lastStream, 0, 0, 0, code]));
  const ways: readonly (readonly [how: string, breakOff: (upstream: RawHttp2) => void, code?: number])[] = [
    ["by closing the connection", ({ socket }) => socket.destroy()],
    ["by ending the connection", ({ socket }) => socket.end()],
    ["by RST_STREAM with INTERNAL_ERROR", (upstream) => upstream.say(reset(internalError))],
    ["by RST_STREAM with CANCEL", (upstream) => upstream.say(reset(cancel)), cancel],
    ["by RST_STREAM with NO_ERROR", (upstream) => upstream.say(reset(0)), noError],
    ["by GOAWAY with an error", (upstream) => upstream.say(goneAway(1, internalError))],
    [
      "by GOAWAY that leaves the stream out",
      (upstream) => {
        upstream.say(goneAway(0, 0));
        upstream.socket.end();
      },
    ],
  ];
  for (const [how, breakOff, code = internalError] of ways) {
    it(`${how} is broken off for the client, and on record`, () =>
      withStream(endStream, async ({ world, client, upstream }) => {
        upstream.say(ok(), half);
        await client.until(({ type }) => type === data);
        breakOff(upstream);
        assert.equal(resetCode(await client.until(ends)), code);
        while (!world.audit.events.includes("request refused forward.reset")) {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }));
  }

  it("without an error comes to the client behind all that came before it, and without END_STREAM", () =>
    withStream(endStream, async ({ client, upstream }) => {
      upstream.say(ok(), ...Array.from({ length: 60 }, () => frame(data, 0, 1, Buffer.alloc(1024))), reset(noError));
      assert.equal(resetCode(await client.until(ends)), noError);
      const received = client.frames.filter(({ type }) => type === data);
      assert.equal(
        received.reduce((sum, { payload }) => sum + payload.length, 0),
        60 * 1024,
      );
    }));

  it("before its Content-Length was there is broken off", () =>
    withStream(endStream, async ({ client, upstream }) => {
      upstream.say(ok(["content-length", "5"]), half, reset(0));
      assert.notEqual(resetCode(await client.until(ends)) ?? 0, 0);
    }));

  it("after all of its Content-Length, without an error, is whole", () =>
    withStream(endStream, async ({ world, client, upstream }) => {
      upstream.say(ok(["content-length", "4"]), half, reset(0));
      const last = await client.until(ends);
      assert.equal(last?.type, data);
      assert.equal(world.audit.events.at(-1), "request completed 200");
    }));
});

describe("a response that is whole", () => {
  it("is followed by a reset without an error where the upstream does not want the rest of the request", () =>
    withStream(0, async ({ client, upstream }) => {
      upstream.say(ok(), whole, reset(0));
      const last = await client.until(ends);
      assert.equal(last?.type, data, "END_STREAM comes before the reset");
      assert.equal(resetCode(await client.until(({ type }) => type === rstStream)), 0);
    }));
});

describe("a request that the client breaks off", () => {
  const ways: readonly (readonly [how: string, breakOff: (client: RawHttp2) => void])[] = [
    ["by closing the connection", ({ socket }) => socket.destroy()],
    ["by ending the connection", ({ socket }) => socket.end()],
    ["by RST_STREAM with CANCEL", (client) => client.say(reset(cancel))],
    ["by RST_STREAM with NO_ERROR", (client) => client.say(reset(0))],
    ["by GOAWAY", (client) => client.say(frame(goaway, 0, 0, Buffer.from([0, 0, 0, 0, 0, 0, 0, internalError])))],
  ];
  for (const [how, breakOff] of ways) {
    it(`${how} is broken off for the upstream`, () =>
      withStream(0, async ({ client, upstream }) => {
        client.say(half);
        await upstream.until(({ type }) => type === data);
        breakOff(client);
        const last = await upstream.until(ends);
        // A connection that closes breaks everything off.
        assert.ok(last === undefined || (resetCode(last) ?? 0) !== 0, JSON.stringify(last));
      }));
  }
});

describe("a client that leaves while it is answered", () => {
  it("has broken no rule of HTTP/2, and is not on record as if it had", () =>
    withStream(endStream, async ({ world, client, upstream }) => {
      upstream.say(ok(), ...Array.from({ length: 60 }, () => frame(data, 0, 1, Buffer.alloc(1024))));
      await client.until(({ type }) => type === data);
      client.socket.resetAndDestroy();
      upstream.say(frame(data, 0, 1, Buffer.alloc(1024)));
      while (world.path.open() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      assert.ok(!world.audit.events.includes("connection refused inspect.ambiguous"), world.audit.events.join(", "));
    }));
});
