/** However a WebSocket ends, nothing of it is left: no stream that is open, and nothing that waits for one. */
import assert from "node:assert/strict";
import { type Duplex, duplexPair } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ByteReader } from "../../../../net/byte-reader.ts";
import { closeCodes, closePayload } from "../../../../net/websocket-close.ts";
import { opcodes } from "../../../../net/websocket-frame.ts";
import { closeHandshakeMs } from "../../10-forward/limits.ts";
import { FrameWriter } from "./frame-writer.ts";
import type { MessageJudge } from "./judge-messages.ts";
import { serveWebsocket } from "./session.ts";

const timersLeft = () => process.getActiveResourcesInfo().filter((what) => what === "Timeout").length;
const passAll = { begin: () => ({ kind: "pass" }), revoked: () => undefined, recordBroken: () => undefined };

/** A session between two peers, which are given to speak with. */
function openSession(judge: object = passAll) {
  const [client, clientSide] = duplexPair();
  const [upstream, upstreamSide] = duplexPair();
  const stop = new AbortController();
  for (const peer of [client, upstream]) peer.resume().on("error", () => {});
  const ended = serveWebsocket({
    client: new ByteReader(clientSide),
    upstream: new ByteReader(upstreamSide),
    judge: judge as MessageJudge,
    signal: stop.signal,
  });
  const areGone = () => clientSide.destroyed && upstreamSide.destroyed;
  return { client, upstream, stop, ended, areGone };
}

function sayGoodbye(peer: Duplex, to: "client" | "server"): void {
  new FrameWriter(peer, to).frame(opcodes.close, closePayload(closeCodes.goingAway, ""));
}

describe("a WebSocket", () => {
  it("whose peers have said goodbye leaves nothing", async () => {
    const before = timersLeft();
    const { client, upstream, ended, areGone } = openSession();
    sayGoodbye(client, "server");
    sayGoodbye(upstream, "client");
    for (const peer of [client, upstream]) peer.end();
    await ended;
    assert.ok(areGone());
    assert.equal(timersLeft(), before);
  });

  it("that is cut leaves nothing", async () => {
    const before = timersLeft();
    const { stop, ended, areGone } = openSession();
    await nextTurn();
    stop.abort();
    await ended;
    assert.ok(areGone());
    assert.equal(timersLeft(), before);
  });

  it("on which judging fails is broken off, and leaves nothing", async () => {
    const before = timersLeft();
    const begin = (): never => {
      throw new Error("a defect");
    };
    const { client, ended, areGone } = openSession({ ...passAll, begin });
    new FrameWriter(client, "server").frame(opcodes.text, Buffer.from("hello"));
    await assert.rejects(ended, /a defect/);
    assert.ok(areGone());
    assert.equal(timersLeft(), before);
  });

  it("whose upstream does not answer a goodbye is broken off in time", async (context: TestContext) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const { client, ended, areGone } = openSession();
    sayGoodbye(client, "server");
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    assert.ok(!areGone());
    context.mock.timers.tick(closeHandshakeMs);
    await ended;
    assert.ok(areGone());
  });
});
