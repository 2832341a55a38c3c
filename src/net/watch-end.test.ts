import assert from "node:assert/strict";
import { once } from "node:events";
import { duplexPair } from "node:stream";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { watchEnd } from "./watch-end.ts";

function watched() {
  const [stream, peer] = duplexPair();
  let ended = 0;
  const stop = watchEnd(stream, () => {
    ended++;
  });
  return { stream, peer, stop, ended: () => ended };
}

describe("a peer that nobody reads from", () => {
  it("is seen to end", async () => {
    const { stream, peer, ended } = watched();
    peer.end();
    await once(stream, "end");
    assert.equal(ended(), 1);
  });

  it("is seen to break off, once", async () => {
    const { stream, ended } = watched();
    stream.destroy();
    await once(stream, "close");
    assert.equal(ended(), 1);
  });

  it("is seen to have gone before", async () => {
    const [stream] = duplexPair();
    stream.destroy();
    await once(stream, "close");
    await new Promise<void>((resolve) => watchEnd(stream, resolve));
  });

  it("may say something, which is left for who reads next", async () => {
    const { stream, peer, stop, ended } = watched();
    peer.write("next");
    await turn();
    assert.equal(ended(), 0);
    stop();
    assert.equal(String(stream.read()), "next");
  });

  it("is watched no more when told so", async () => {
    const { stream, stop, ended } = watched();
    stop();
    stream.destroy();
    await once(stream, "close");
    assert.equal(ended(), 0);
  });
});
