import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { LoopbackWorld, type TestClient } from "../test-support/loopback-world.ts";
import { type RelayCounts, type RelayOptions, relay } from "./relay.ts";

/** Two clients whose server sides are relayed to each other. */
async function relayed(
  world: LoopbackWorld,
  options: RelayOptions,
): Promise<{ left: TestClient; right: TestClient; ended: Promise<RelayCounts> }> {
  const arrivals: ((socket: Socket) => void)[] = [];
  const port = await world.listen((socket) => arrivals.shift()?.(socket));
  const meet = async () => {
    const arrived = new Promise<Socket>((resolve) => arrivals.push(resolve));
    return { client: await world.connect(port), socket: await arrived };
  };
  const left = await meet();
  const right = await meet();
  return { left: left.client, right: right.client, ended: relay(left.socket, right.socket, options) };
}

describe("a relay", () => {
  const { signal } = new AbortController();

  it("passes bytes and half-closes both ways, and counts them", async () => {
    await using world = new LoopbackWorld();
    const { left, right, ended } = await relayed(world, { signal });
    left.say("question");
    await right.until(/^question$/);
    left.socket.end();
    await right.untilClosed();
    right.say("late answer");
    await left.until(/^late answer$/);
    right.socket.end();
    assert.deepEqual(await ended, { fromClient: 8, fromUpstream: 11 });
  });

  it("waits for a reader that is slow, and loses nothing", async () => {
    await using world = new LoopbackWorld();
    const { left, right, ended } = await relayed(world, { signal });
    const size = 4 * 1024 * 1024;
    right.socket.pause();
    left.socket.end(Buffer.alloc(size));
    right.socket.resume();
    right.socket.end();
    assert.deepEqual(await ended, { fromClient: size, fromUpstream: 0 });
  });

  it("breaks off both sides when it is cut, when it is idle, and when one side breaks", async () => {
    await using world = new LoopbackWorld();
    const cut = new AbortController();
    const one = await relayed(world, { signal: cut.signal });
    const oneError = errorOf(one.left);
    cut.abort();
    assert.equal(await oneError, "ECONNRESET");
    const two = await relayed(world, { signal, idleMs: 1 });
    assert.equal(await errorOf(two.left), "ECONNRESET");
    const three = await relayed(world, { signal });
    const threeError = errorOf(three.right);
    three.left.socket.resetAndDestroy();
    assert.equal(await threeError, "ECONNRESET");
  });
});

function errorOf({ socket }: TestClient): Promise<string | undefined> {
  return new Promise((resolve) => socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code)));
}
