import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import * as tls from "node:tls";
import type { CanonicalHost } from "../../net/canonical-host.ts";
import { peek } from "./06-peek.ts";
import { type Guarded, isRefusal } from "./connection.ts";

let server: Server;
before(async () => {
  server = createServer({ noDelay: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
after(() => server.close());

/** Both ends of a connection. */
async function pair(): Promise<{ client: Socket; accepted: Socket }> {
  const client = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", noDelay: true });
  const [accepted] = (await once(server, "connection")) as [Socket];
  client.on("error", () => {});
  accepted.on("error", () => {});
  return { client, accepted };
}

function guarded(stream: Socket, inspected = true): Guarded {
  return {
    id: "1",
    listener: "transparent",
    awaiting: "nothing",
    stream,
    client: { family: 4, local: { address: "127.0.0.1", port: 1 }, remote: { address: "127.0.0.1", port: 2 } },
    destination: { host: "api.example.test" as CanonicalHost, port: 443 },
    asked: "api.example.test:443",
    startedAt: 0,
    holders: [],
    rule: "rule",
    endpoints: [],
    inspected,
    revision: 1,
    addresses: [{ family: 4, text: "127.0.0.1" }],
  };
}

/** What peek says when the client sends these pieces, and that they are all still there. */
async function verdictOn(...pieces: readonly (string | Buffer)[]): Promise<string> {
  const { client, accepted } = await pair();
  const peeking = peek(guarded(accepted), { timeoutMs: 200 });
  for (const piece of pieces) client.write(piece);
  const result = await peeking;
  if (!isRefusal(result)) {
    const sent = Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
    let left = Buffer.alloc(0);
    accepted.resume();
    while (left.length < sent.length) {
      const [piece] = await once(accepted, "data");
      left = Buffer.concat([left, piece]);
    }
    assert.deepEqual(left, sent);
  }
  client.destroy();
  accepted.destroy();
  return isRefusal(result) ? result.refused : result.protocol;
}

describe("peeking", () => {
  it("sees HTTP by its method", async () => {
    assert.equal(await verdictOn("GET / HTTP/1.1\r\n"), "http");
    assert.equal(await verdictOn("P", "ATC", "H /x HTTP/1.1\r\n"), "http");
    assert.equal(await verdictOn("M-SEARCH * HTTP/1.1\r\n"), "http");
  });

  it("sees HTTP/2 by its preface, and HTTP/1.1 in what only begins like it", async () => {
    assert.equal(await verdictOn("PRI * HT", "TP/2.0\r\n\r\nSM\r\n\r\n", "\0\0\0"), "http2");
    assert.equal(await verdictOn("PRI * HTTP/2.0\r\nHost: x\r\n\r\n"), "http");
  });

  it("refuses what is neither TLS nor HTTP", async () => {
    assert.equal(await verdictOn("SSH-2.0-OpenSSH_9.2\r\n"), "peek.not_http");
    assert.equal(await verdictOn(" GET / HTTP/1.1\r\n"), "peek.not_http");
    assert.equal(await verdictOn("\r\nGET / HTTP/1.1\r\n"), "peek.not_http");
    assert.equal(await verdictOn("A".repeat(40)), "peek.not_http");
    assert.equal(await verdictOn(Buffer.from([0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f])), "peek.not_http");
    assert.equal(await verdictOn(Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])), "peek.not_http");
  });

  it("gives a client that waits or dawdles a limited time", async () => {
    assert.equal(await verdictOn(), "peek.timeout");
    assert.equal(await verdictOn("GE"), "peek.timeout");
    assert.equal(await verdictOn(Buffer.from([22, 3, 1, 2, 0])), "peek.timeout");
  });

  it("does not wait for a client that has gone", async () => {
    const { client, accepted } = await pair();
    client.end();
    const result = await peek(guarded(accepted));
    assert.equal(isRefusal(result) && result.refused, "peek.timeout");
    accepted.destroy();
  });

  it("leaves alone what is not inspected, for its server may speak first", async () => {
    const { client, accepted } = await pair();
    const result = await peek(guarded(accepted, false));
    assert.equal(isRefusal(result) || result.protocol, "other");
    client.destroy();
    accepted.destroy();
  });

  it("sees TLS on any port, with the names in it", async () => {
    const { client, accepted } = await pair();
    const secured = tls.connect({ socket: client, servername: "api.example.test", ALPNProtocols: ["h2", "http/1.1"] });
    secured.on("error", () => {});
    const result = await peek(guarded(accepted));
    assert.ok(!isRefusal(result));
    assert.deepEqual([result.protocol, result.sni, result.alpn], ["tls", "api.example.test", ["h2", "http/1.1"]]);
    secured.destroy();
    accepted.destroy();
  });
});
