/** HTTP/2 connections: an origin sees exactly the streams that were decided, whatever else the client says. */
import assert from "node:assert/strict";
import { connectionPreface, frameTypes } from "../../src/net/http2-frames.ts";
import { frame, Http2World, headerBlock } from "../../src/supervisor/egress/test-support/http2-world.ts";
import { noRule } from "../../src/supervisor/egress/test-support/loopback-world.ts";
import { endHeaders, endStream } from "../../src/supervisor/egress/test-support/raw-http2.ts";
import type { FuzzTarget } from "../target.ts";

const { data, headers, goaway, ping, rstStream, settings, windowUpdate, continuation } = frameTypes;
const authority = "upstream.invalid";
const fields = (method: string, path: string) =>
  headerBlock([
    [":method", method],
    [":scheme", "http"],
    [":authority", authority],
    [":path", path],
  ]);
const start = frame(settings, 0, 0);
const get = (id: number, path: string) => frame(headers, endHeaders | endStream, id, fields("GET", path));
const post = (id: number) => frame(headers, endHeaders, id, fields("POST", "/open"));
const trailers = frame(headers, endHeaders | endStream, 1, headerBlock([["x-sum", "1"]]));
const cancel = frame(rstStream, 0, 1, Buffer.from([0, 0, 0, 8]));
const credit = frame(windowUpdate, 0, 1, Buffer.from([0, 0, 1, 0]));

/** How long a connection may take to end once its client is gone. */
const endMs = 5_000;

export const http2: FuzzTarget = {
  name: "http2",
  seeds: [
    Buffer.concat([start, get(1, "/open"), get(3, "/hidden"), get(5, "/open?x")]),
    Buffer.concat([start, post(1), frame(data, 0, 1, Buffer.from("hello")), credit, trailers]),
    Buffer.concat([start, post(1), frame(data, endStream, 1, Buffer.from("hello")), cancel, get(3, "/open")]),
    Buffer.concat([start, frame(headers, endStream, 1, fields("GET", "/open")), frame(continuation, endHeaders, 1)]),
  ],
  tokens: [
    frame(ping, 0, 0, Buffer.alloc(8)),
    frame(goaway, 0, 0, Buffer.alloc(8)),
    ...[start, get(7, "/hidden"), get(9, "/open"), post(11), cancel, credit, trailers],
    ...[frame(data, 0, 1), frame(data, endStream, 1, Buffer.from("x")), Buffer.from("/hidden")],
  ].map((token) => token.toString("latin1")),
  async check(input) {
    const seen: string[] = [];
    const decided: string[] = [];
    await using world = new Http2World({
      request: ({ method, path }) => {
        if (path !== "/open") return noRule;
        decided.push(`${method} ${path}`);
        return undefined;
      },
    });
    const { socket } = await world.tunnel((stream, raw) => {
      const value = (name: string) => raw[raw.indexOf(name) + 1] ?? "";
      seen.push(`${value(":method")} ${value(":path").split("?")[0]}`);
      stream.resume();
      stream.respond({ ":status": 200 });
      stream.end("answer");
    });
    // All that was said has been heard when the answer to it comes, or the connection ends.
    const heard = new Promise((resolve) => socket.once("close", resolve).once("end", resolve).on("data", resolve));
    socket.write(Buffer.concat([connectionPreface, input]));
    await heard;
    await new Promise((resolve) => setTimeout(resolve, 5));
    socket.destroy();
    const deadline = performance.now() + endMs;
    while (world.path.open() > 0) {
      assert.ok(performance.now() < deadline, "the connection does not end");
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const request of seen) assert.ok(decided.includes(request), `${request} was never decided`);
    assert.ok(seen.length <= decided.length);
    assert.deepEqual(world.defects, []);
  },
};
