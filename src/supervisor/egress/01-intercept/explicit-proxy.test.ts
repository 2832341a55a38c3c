import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import type { ConnectVerdict } from "../../../policy/verdict.ts";
import { LoopbackWorld, plainEndpoint, type TestPolicy } from "../test-support/loopback-world.ts";
import { serveProxyClient } from "./explicit-proxy.ts";

const denied: ConnectVerdict = { kind: "deny", reason: "decide.implicit_deny", rule: "near" };
const denyAll: TestPolicy = { connect: () => denied };
/** A layer-4 endpoint: nothing is inspected. */
const opaque: TestPolicy = { endpoint: plainEndpoint() };

function echo(socket: Socket): void {
  socket.on("data", (piece: Buffer) => socket.write(piece));
  socket.on("end", () => socket.end("bye"));
}

/** Answers each request with its first line, and keeps the connection. */
function tellLine(socket: Socket): void {
  socket.on("data", (piece: Buffer) => {
    const line = piece.toString("latin1").split("\r\n")[0] ?? "";
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${line.length}\r\n\r\n${line}`);
  });
}

describe("CONNECT", () => {
  it("opens a tunnel that passes bytes as they are, with half-close", async () => {
    await using world = new LoopbackWorld(opaque);
    const port = await world.listen(echo);
    const client = await world.connect(await world.proxy());
    client.say(`CONNECT upstream.invalid:${port} HTTP/1.0\r\n\r\nearly `);
    await client.until(/^HTTP\/1\.1 200 Connection Established\r\n\r\nearly $/);
    client.say("later");
    await client.until(/later$/);
    client.socket.end();
    assert.equal(await client.untilClosed(), "bye");
    client.socket.destroy();
  });

  it("is answered with 403 before a tunnel stands", async () => {
    await using world = new LoopbackWorld(denyAll);
    const client = await world.connect(await world.proxy());
    client.say("CONNECT Other.Invalid.:443 HTTP/1.1\r\nHost: other.invalid:443\r\n\r\n");
    const answer = await client.untilClosed();
    assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n/);
    assert.match(answer, /\r\nX-OpenShell-Reason: decide\.implicit_deny\r\n/);
    const body = JSON.parse(answer.slice(answer.indexOf("{")));
    assert.equal(body.detail, "/usr/bin/test may not connect to other.invalid:443");
    assert.equal(body.rule, "near");
    assert.equal(body.request_id, "id-1");
    assert.deepEqual(world.audit.events, ["connection refused decide.implicit_deny"]);
  });

  it("is answered with 502 when the upstream can't be reached", async () => {
    await using world = new LoopbackWorld(opaque);
    const client = await world.connect(await world.proxy());
    client.say("CONNECT upstream.invalid:1 HTTP/1.0\r\n\r\n");
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 502 [\s\S]*forward\.unreachable/);
  });

  it("is reset when the tunnel of an inspected endpoint carries neither TLS nor HTTP", async () => {
    await using world = new LoopbackWorld();
    const port = await world.listen(echo);
    const client = await world.connect(await world.proxy());
    client.say(`CONNECT upstream.invalid:${port} HTTP/1.0\r\n\r\n`);
    await client.until(/200 Connection Established\r\n\r\n$/);
    const error = new Promise((resolve) => client.socket.once("error", resolve));
    client.say("SSH-2.0-x\r\n");
    assert.equal(((await error) as NodeJS.ErrnoException).code, "ECONNRESET");
    assert.deepEqual(world.audit.events, ["connection refused peek.not_http"]);
  });
});

describe("a proxy request that can be read in two ways", () => {
  const malformed: readonly (readonly [request: string, reason: string])[] = [
    ["GET / HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "intercept.malformed_request"],
    ["OPTIONS * HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "intercept.malformed_request"],
    ["GET https://a.invalid/ HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "intercept.malformed_request"],
    ["GET ftp://a.invalid/ HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "intercept.malformed_request"],
    ["GET http://u:p@a.invalid/ HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "intercept.malformed_request"],
    ["GET http://a\\b/ HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "intercept.malformed_destination"],
    ["GET http://a.invalid:0/ HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "intercept.malformed_destination"],
    ["CONNECT a.invalid HTTP/1.0\r\n\r\n", "intercept.malformed_destination"],
    ["CONNECT a.invalid: HTTP/1.0\r\n\r\n", "intercept.malformed_destination"],
    ["CONNECT a.invalid:0443 HTTP/1.0\r\n\r\n", "intercept.malformed_destination"],
    ["CONNECT a.invalid:65536 HTTP/1.0\r\n\r\n", "intercept.malformed_destination"],
    ["CONNECT ::1:443 HTTP/1.0\r\n\r\n", "intercept.malformed_destination"],
    ["CONNECT u@a.invalid:443 HTTP/1.0\r\n\r\n", "intercept.malformed_request"],
    ["CONNECT a.invalid:443 HTTP/1.1\r\nHost: b.invalid:443\r\n\r\n", "intercept.malformed_request"],
    ["CONNECT a.invalid:443 HTTP/1.1\r\nHost: a.invalid:80\r\n\r\n", "intercept.malformed_request"],
    ["CONNECT a.invalid:443 HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc", "intercept.malformed_request"],
    ["\x16\x03\x01\n", "intercept.malformed_request"],
  ];
  for (const [request, reason] of malformed) {
    it(`is refused: ${JSON.stringify(request.split("\r\n")[0])} as ${reason}`, async () => {
      await using world = new LoopbackWorld();
      const client = await world.connect(await world.proxy());
      client.say(request);
      const answer = await client.untilClosed();
      assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
      assert.ok(answer.includes(`X-OpenShell-Reason: ${reason}\r\n`), answer);
      assert.deepEqual(world.audit.events, [`connection refused ${reason}`]);
    });
  }
});

describe("a request in absolute-form", () => {
  it("is forwarded in origin-form, without what was meant for the proxy", async () => {
    await using world = new LoopbackWorld();
    let heard = "";
    const port = await world.listen((socket) => {
      socket.on("data", (piece: Buffer) => {
        heard += piece.toString("latin1");
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      });
    });
    const client = await world.connect(await world.proxy());
    const host = `upstream.invalid:${port}`;
    client.say(`GET http://${host}/a HTTP/1.1\r\nHost: ${host}\r\nProxy-Connection: keep-alive\r\nA: b\r\n\r\n`);
    await client.until(/200 OK[\s\S]*\r\n\r\n$/);
    assert.equal(heard, `GET /a HTTP/1.1\r\nHost: ${host}\r\nA: b\r\n\r\n`);
  });

  it("may be followed by one for another origin, pipelined or not", async () => {
    await using world = new LoopbackWorld();
    const one = await world.listen(tellLine);
    const two = await world.listen(tellLine);
    const client = await world.connect(await world.proxy());
    const ask = (port: number, path: string) =>
      `GET http://upstream.invalid:${port}${path} HTTP/1.1\r\nHost: upstream.invalid:${port}\r\n\r\n`;
    client.say(ask(one, "/1") + ask(two, "/2") + ask(one, "/3"));
    await client.until(/GET \/1 [\s\S]*GET \/2 [\s\S]*GET \/3 HTTP\/1\.1$/);
    client.say(ask(two, "/4"));
    await client.until(/GET \/4 HTTP\/1\.1$/);
    assert.equal(world.audit.events.filter((event) => event.startsWith("connection allowed")).length, 4);
  });

  it("leaves nothing behind on a connection that goes on to other origins without end", async () => {
    await using world = new LoopbackWorld();
    const ports = [await world.listen(tellLine), await world.listen(tellLine)];
    let accepted: Socket | undefined;
    const proxy = await world.listen((socket) => {
      accepted = socket;
      void serveProxyClient(socket, world.path, world.context());
    });
    const client = await world.connect(proxy);
    const goRound = async (): Promise<number> => {
      for (const port of ports) {
        client.say(`GET http://upstream.invalid:${port}/ HTTP/1.1\r\nHost: upstream.invalid:${port}\r\n\r\n`);
        await client.until(/GET \/ HTTP\/1\.1$/);
      }
      const listeners = accepted?.eventNames().map((name) => accepted?.listenerCount(name) ?? 0) ?? [];
      return listeners.reduce((sum, count) => sum + count, 0);
    };
    const first = await goRound();
    for (let round = 0; round < 5; round++) await goRound();
    assert.equal(await goRound(), first);
  });

  it("is decided for each origin: a second, denied one is refused", async () => {
    await using world = new LoopbackWorld({ connect: (host) => (host === "no.invalid" ? denied : undefined) });
    const port = await world.listen(tellLine);
    const client = await world.connect(await world.proxy());
    client.say(`GET http://upstream.invalid:${port}/ HTTP/1.1\r\nHost: upstream.invalid:${port}\r\n\r\n`);
    await client.until(/GET \/ HTTP\/1\.1$/);
    client.say("GET http://no.invalid/ HTTP/1.1\r\nHost: no.invalid\r\n\r\n");
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 403 [\s\S]*decide\.implicit_deny/);
  });

  it("whose Host names another host is refused", async () => {
    await using world = new LoopbackWorld();
    const client = await world.connect(await world.proxy());
    client.say("GET http://upstream.invalid/ HTTP/1.1\r\nHost: other.invalid\r\n\r\n");
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 421 [\s\S]*terminate\.name_mismatch/);
  });

  it("passes on an endpoint that is not inspected, understood all the same", async () => {
    await using world = new LoopbackWorld({ ...opaque, request: () => assert.fail("no request is decided") });
    const port = await world.listen(tellLine);
    const client = await world.connect(await world.proxy());
    client.say(`GET http://upstream.invalid:${port}/x HTTP/1.1\r\nHost: upstream.invalid:${port}\r\n\r\n`);
    await client.until(/GET \/x HTTP\/1\.1$/);
  });

  it("is answered although the client has already closed its side", async () => {
    await using world = new LoopbackWorld();
    const port = await world.listen(tellLine);
    const client = await world.connect(await world.proxy());
    client.socket.end(`GET http://upstream.invalid:${port}/ HTTP/1.1\r\nHost: upstream.invalid:${port}\r\n\r\n`);
    assert.match(await client.untilClosed(), /200 OK[\s\S]*GET \/ HTTP\/1\.1$/);
  });
});
