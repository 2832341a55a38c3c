import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { describe, it } from "node:test";
import { frameTypes } from "../../../../net/http2-frames.ts";
import { frame } from "../../test-support/http2-world.ts";
import { WatchedStream } from "./watched-stream.ts";

const malformed = frame(frameTypes.rstStream, 0, 1, Buffer.from([0, 0, 0, 1]));

describe("a stream that is reset because its head is malformed", () => {
  it("is on record before the client hears of it", async () => {
    const order: string[] = [];
    const sent = Promise.withResolvers<void>();
    const client = new Duplex({
      read() {},
      write(_bytes, _encoding, done) {
        order.push("sent");
        sent.resolve();
        done();
      },
    });
    const watched = new WatchedStream(client, {
      peer: "client",
      onFlood: () => {},
      onReset: (streamId, code) => setImmediate(() => order.push(`recorded ${streamId} ${code}`)),
    });
    watched.write(malformed);
    await sent.promise;
    assert.deepEqual(order, ["recorded 1 1", "sent"]);
    watched.destroy();
  });
});
