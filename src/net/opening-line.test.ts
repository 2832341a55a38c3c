import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { readOpeningLine } from "./opening-line.ts";

const limits = { maxBytes: 100, timeoutMs: 10_000 };

/** What a peer says and ends with, as seen by whoever takes the connection over `when` it is ready for it. */
async function takenOver(said: string, when: (socket: Socket) => Promise<void>): Promise<[line: string, rest: string]> {
  const { promise, resolve, reject } = Promise.withResolvers<[string, string]>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", reject);
    readOpeningLine(socket, limits, (line) => {
      when(socket)
        .then(() => text(socket))
        .then((rest) => {
          socket.end();
          resolve([line, rest]);
        }, reject);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const peer = connect((server.address() as AddressInfo).port, "127.0.0.1").end(said);
  try {
    return await promise;
  } finally {
    peer.destroy();
    server.close();
  }
}

describe("the first line of a connection", () => {
  it("is told alone, and what stands behind it is there for who takes the connection over", async () => {
    assert.deepEqual(await takenOver("one\ntwo\nthree", async () => {}), ["one", "two\nthree"]);
    assert.deepEqual(await takenOver("one\n", async () => {}), ["one", ""]);
  });

  it("leaves what stands behind it also when the peer has ended before the connection is taken over", async () => {
    const peerHasEnded = async (socket: Socket) => {
      // Node tells nobody of an end before all is read that stands before it, hence the look at what it knows itself.
      const { _readableState: state } = socket as unknown as { _readableState: { ended: boolean } };
      while (!state.ended) await new Promise((resolve) => setImmediate(resolve));
    };
    assert.deepEqual(await takenOver("one\ntwo", peerHasEnded), ["one", "two"]);
  });
});
