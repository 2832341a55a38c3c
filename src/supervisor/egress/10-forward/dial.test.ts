import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { describe, it } from "node:test";
import type { Guarded } from "../connection.ts";
import { isRefusal } from "../connection.ts";
import { LoopbackWorld, upstreamHost } from "../test-support/loopback-world.ts";
import { dial } from "./dial.ts";

function guardedTo(port: number, ...addresses: readonly string[]): Guarded {
  const end = { address: "127.0.0.1", port: 1 };
  return {
    id: "id",
    listener: "transparent",
    awaiting: "nothing",
    stream: new Duplex(),
    client: { family: 4, local: end, remote: end },
    destination: { host: upstreamHost, port },
    asked: "upstream.invalid",
    startedAt: 0,
    holders: [],
    rule: "test",
    endpoints: [],
    inspected: false,
    revision: 1,
    addresses: addresses.map((text) => ({ family: 4, text })),
  };
}

describe("dialling the checked addresses", () => {
  const { signal } = new AbortController();

  it("tries the next one when the first does not answer", async () => {
    await using world = new LoopbackWorld();
    const port = await world.listen(() => {});
    // 127.0.0.2 has no listener: the server is bound to 127.0.0.1 only.
    const socket = await dial(guardedTo(port, "127.0.0.2", "127.0.0.1"), { signal });
    assert.ok(!isRefusal(socket));
    assert.equal(socket.remoteAddress, "127.0.0.1");
    socket.destroy();
  });

  it("is refused when none answers", async () => {
    const refused = await dial(guardedTo(1, "127.0.0.1", "127.0.0.2"), { signal });
    assert.ok(isRefusal(refused) && refused.refused === "forward.unreachable");
    assert.equal(refused.detail, "no connection to upstream.invalid:1");
  });

  it("ends when the connection is cut", async () => {
    const cut = AbortSignal.abort();
    const refused = await dial(guardedTo(1, "127.0.0.1"), { signal: cut });
    assert.ok(isRefusal(refused) && refused.refused === "forward.unreachable");
  });
});
