import assert from "node:assert/strict";
import { once } from "node:events";
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

describe("dialling by a proxy", () => {
  const { signal } = new AbortController();

  /** A proxy that answers CONNECT with this and then plays the upstream; gives what it was asked. */
  async function proxied(world: LoopbackWorld, answer: string, ...addresses: readonly string[]) {
    const asked: string[] = [];
    const port = await world.listen((socket) => {
      socket.once("data", (head: Buffer) => {
        asked.push(head.toString("latin1"));
        socket.write(answer, "latin1");
      });
    });
    const via = { host: "127.0.0.1", port, authorization: "Basic bWU6cHc=" };
    return { asked, result: await dial({ ...guardedTo(443, ...addresses), via }, { signal }) };
  }

  it("asks for the checked address, with the proxy's credentials, and begins where the answer ends", async () => {
    await using world = new LoopbackWorld();
    const { asked, result } = await proxied(world, "HTTP/1.1 200 OK\r\n\r\nhello", "8.8.4.4");
    assert.deepEqual(asked, [
      "CONNECT 8.8.4.4:443 HTTP/1.1\r\nHost: 8.8.4.4:443\r\nProxy-Authorization: Basic bWU6cHc=\r\n\r\n",
    ]);
    assert.ok(!isRefusal(result));
    const beginning = once(result, "data");
    result.resume();
    assert.equal(String((await beginning)[0]), "hello");
    result.destroy();
  });

  it("asks for the name where the proxy looks it up", async () => {
    await using world = new LoopbackWorld();
    const { asked, result } = await proxied(world, "HTTP/1.1 200 OK\r\n\r\n");
    assert.match(asked[0] ?? "", /^CONNECT upstream\.invalid:443 /);
    assert.ok(!isRefusal(result));
    result.destroy();
  });

  for (const [answer, why] of [
    [
      "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
      /through the proxy 127\.0\.0\.1:\d+, which wants other cred/,
    ],
    ["HTTP/1.1 403 Forbidden\r\n\r\n", /which answered 403/],
    ["SSH-2.0\r\n\r\n", /which gave no answer that can be read/],
  ] as const) {
    it(`says that the proxy is to blame for ${JSON.stringify(answer)}`, async () => {
      await using world = new LoopbackWorld();
      const { result } = await proxied(world, answer, "8.8.4.4");
      assert.ok(isRefusal(result));
      assert.equal(result.refused, "forward.unreachable");
      assert.match(result.detail, why);
    });
  }

  it("dials nothing that was not checked where there is no proxy", async () => {
    assert.ok(isRefusal(await dial(guardedTo(443), { signal })));
  });
});
