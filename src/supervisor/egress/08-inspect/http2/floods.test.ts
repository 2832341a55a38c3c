/** Attacks on HTTP/2 that are known by name. What is legal frame by frame is ended; what is malformed never passes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connectionPreface, frameTypes } from "../../../../net/http2-frames.ts";
import { frame, Http2World, headerBlock } from "../../test-support/http2-world.ts";

const endStream = 0x1;
const endHeaders = 0x4;
const cancel = Buffer.from([0, 0, 0, 8]);
const request = (authority: string, ...more: (readonly [string, string])[]) =>
  headerBlock([[":method", "POST"], [":scheme", "http"], [":authority", authority], [":path", "/"], ...more]);
const repeated = (count: number, make: (index: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, index) => make(index)));

/** Says the frames after the preface, and waits until the connection is closed. Gives the audit's events. */
async function attack(frames: (authority: string) => Buffer): Promise<readonly string[]> {
  await using world = new Http2World();
  const { socket } = await world.tunnel((stream) => stream.resume());
  const closed = new Promise<void>((resolve) => socket.on("close", resolve).on("end", () => socket.destroy()));
  socket.resume();
  socket.write(Buffer.concat([connectionPreface, frame(frameTypes.settings, 0, 0), frames(world.authority)]));
  await closed;
  // What was open is told to end, and is on record then.
  while (world.path.open() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(world.defects, []);
  return world.audit.events;
}

const floods: readonly (readonly [name: string, frames: (authority: string) => Buffer])[] = [
  [
    "rapid reset",
    (authority) =>
      repeated(2000, (index) =>
        Buffer.concat([
          frame(frameTypes.headers, endHeaders | endStream, 2 * index + 1, request(authority)),
          frame(frameTypes.rstStream, 0, 2 * index + 1, cancel),
        ]),
      ),
  ],
  ["PING", () => repeated(5000, () => frame(frameTypes.ping, 0, 0, Buffer.alloc(8)))],
  ["SETTINGS", () => repeated(5000, () => frame(frameTypes.settings, 0, 0))],
  ["WINDOW_UPDATE", () => repeated(5000, () => frame(frameTypes.windowUpdate, 0, 0, Buffer.from([0, 0, 0, 1])))],
  ["PRIORITY", () => repeated(5000, () => frame(frameTypes.priority, 0, 1, Buffer.from([0, 0, 0, 3, 1])))],
  [
    "empty DATA",
    (authority) =>
      Buffer.concat([
        frame(frameTypes.headers, endHeaders, 1, request(authority)),
        repeated(5000, () => frame(frameTypes.data, 0, 1)),
      ]),
  ],
  [
    "CONTINUATION",
    (authority) =>
      Buffer.concat([
        frame(frameTypes.headers, 0, 1, request(authority)),
        repeated(5000, () => frame(frameTypes.continuation, 0, 1, headerBlock([["a", "b"]]))),
      ]),
  ],
  [
    "malformed streams",
    (authority) =>
      repeated(2000, (index) =>
        frame(frameTypes.headers, endHeaders | endStream, 2 * index + 1, request(authority, [":path", "/again"])),
      ),
  ],
];

describe("a flood of", () => {
  for (const [name, frames] of floods) {
    it(`${name} ends the connection and is on record`, async () => {
      const events = await attack(frames);
      assert.ok(events.includes("connection refused inspect.flood"), events.slice(-5).join(", "));
    });
  }
});

describe("a client that does not speak HTTP/2 behind the preface", () => {
  it("is on record and closed", async () => {
    const events = await attack(() => Buffer.from("GET / HTTP/1.1\r\nHost: upstream.invalid\r\n\r\n"));
    assert.ok(events.includes("connection refused inspect.ambiguous"), events.join(", "));
  });
});

describe("a stream whose head is malformed", () => {
  const post = [":method", "POST"] as const;
  const heads: readonly (readonly [what: string, list: (authority: string) => (readonly [string, string])[]])[] = [
    ["two :path", (a) => [post, [":scheme", "http"], [":authority", a], [":path", "/"], [":path", "/x"]]],
    ["no :path", (a) => [post, [":scheme", "http"], [":authority", a]]],
    ["a name in upper case", (a) => [post, [":scheme", "http"], [":authority", a], [":path", "/"], ["Te", "x"]]],
    ["a Connection field", (a) => [post, [":scheme", "http"], [":authority", a], [":path", "/"], ["connection", "x"]]],
    [
      "Transfer-Encoding",
      (a) => [post, [":scheme", "http"], [":authority", a], [":path", "/"], ["transfer-encoding", "chunked"]],
    ],
    ["an unknown pseudo-header", (a) => [post, [":scheme", "http"], [":authority", a], [":path", "/"], [":x", "y"]]],
    [
      "a WebSocket in CONNECT",
      (a) => [
        [":method", "CONNECT"],
        [":protocol", "websocket"],
        [":scheme", "http"],
        [":authority", a],
        [":path", "/"],
      ],
    ],
    [
      "two Content-Length",
      (a) => [
        post,
        [":scheme", "http"],
        [":authority", a],
        [":path", "/"],
        ["content-length", "0"],
        ["content-length", "1"],
      ],
    ],
  ];
  for (const [what, list] of heads) {
    it(`by ${what} is reset, never forwarded, and on record`, async () => {
      await using world = new Http2World();
      const { socket } = await world.tunnel(() => assert.fail("forwarded"));
      const reset = new Promise<void>((resolve) => {
        let heard = Buffer.alloc(0);
        socket.on("data", (piece: Buffer) => {
          heard = Buffer.concat([heard, piece]);
          if (heard.includes(frame(frameTypes.rstStream, 0, 1, Buffer.from([0, 0, 0, 1])))) resolve();
        });
      });
      const head = frame(frameTypes.headers, endHeaders | endStream, 1, headerBlock(list(world.authority)));
      socket.write(Buffer.concat([connectionPreface, frame(frameTypes.settings, 0, 0), head]));
      await reset;
      assert.deepEqual(world.audit.events.slice(1), ["request refused inspect.ambiguous"]);
    });
  }
});

describe("a body that is not what its head says", () => {
  for (const [what, length, sent] of [
    ["shorter", "5", "abc"],
    ["longer", "2", "abc"],
  ] as const) {
    it(`because it is ${what} breaks the stream off, towards the upstream too`, async () => {
      await using world = new Http2World();
      const closed = Promise.withResolvers<number>();
      const { socket } = await world.tunnel((stream) => {
        stream.resume();
        stream.on("close", () => closed.resolve(stream.rstCode ?? 0));
      });
      const head = frame(frameTypes.headers, endHeaders, 1, request(world.authority, ["content-length", length]));
      socket.resume();
      socket.write(Buffer.concat([connectionPreface, frame(frameTypes.settings, 0, 0), head]));
      while (world.upstreams.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      socket.write(frame(frameTypes.data, endStream, 1, Buffer.from(sent)));
      assert.notEqual(await closed.promise, 0);
      socket.destroy();
      while (world.path.open() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      assert.ok(
        world.audit.events.includes("request refused inspect.ambiguous") ||
          world.audit.events.includes("connection refused inspect.ambiguous"),
        world.audit.events.join(),
      );
    });
  }
});
