import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { WebSocket, WebSocketServer } from "ws";
import { Credentials } from "../../09-credential/credentials.ts";
import {
  LoopbackWorld,
  noRule,
  plainEndpoint,
  type TestPolicy,
  testPolicy,
} from "../../test-support/loopback-world.ts";

const endpoint = plainEndpoint({ protocol: "websocket" });

/** Denies the messages and not the upgrade. */
const listenOnly: TestPolicy = {
  endpoint,
  request: ({ method }) => (method === "WEBSOCKET_TEXT" ? noRule : undefined),
};

/** The example of RFC 6455 section 1.3. */
const key = "dGhlIHNhbXBsZSBub25jZQ==";
const accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n";

interface Upstream extends AsyncDisposable {
  readonly host: string;
  /** The server's end of the next connection. */
  readonly connection: Promise<WebSocket>;
  readonly requests: readonly IncomingMessage[];
  /** What it heard, in words such as `text hello` and `close 1000`. */
  readonly heard: readonly string[];
}

/** A server of the ws package, which echoes. */
async function startUpstream(): Promise<Upstream> {
  const requests: IncomingMessage[] = [];
  const heard: string[] = [];
  const http = createServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: true, handleProtocols: () => "chat" });
  const connection = once(server, "connection").then(([socket]) => socket as WebSocket);
  server.on("connection", (socket, request) => {
    requests.push(request);
    socket.on("error", () => {});
    socket.on("message", (data: Buffer, isBinary) => {
      heard.push(`${isBinary ? "binary" : "text"} ${data.toString()}`);
      socket.send(data, { binary: isBinary });
    });
    socket.on("ping", (data) => heard.push(`ping ${data.toString()}`));
    socket.on("close", (code) => heard.push(`close ${code}`));
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return {
    host: `upstream.invalid:${(http.address() as AddressInfo).port}`,
    connection,
    requests,
    heard,
    async [Symbol.asyncDispose]() {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** Through the proxy and its tunnel, to where a client would begin its handshake. */
async function openTunnel(world: LoopbackWorld, host: string): Promise<Socket> {
  const socket = connect({ port: await world.proxy(), host: "127.0.0.1", noDelay: true });
  // A connection that is reset is what some tests are about.
  socket.on("error", () => {});
  socket.write(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await once(socket, "data");
  return socket;
}

/** A client of the ws package. */
async function dial(world: LoopbackWorld, { host }: Upstream, subprotocols: string[] = []): Promise<WebSocket> {
  const tunnel = await openTunnel(world, host);
  const client = new WebSocket(`ws://${host}/chat`, subprotocols, { createConnection: () => tunnel });
  client.on("error", () => {});
  await once(client, "open");
  return client;
}

async function nextMessage(socket: WebSocket): Promise<string> {
  const [data] = await once(socket, "message");
  return String(data);
}

async function closed(socket: WebSocket): Promise<{ readonly code: number; readonly reason: string }> {
  const [code, reason] = await once(socket, "close");
  return { code, reason: String(reason) };
}

describe("a WebSocket", () => {
  it("carries messages, pings and the goodbye both ways", async () => {
    await using world = new LoopbackWorld({ endpoint });
    await using upstream = await startUpstream();
    const client = await dial(world, upstream, ["chat"]);
    const server = await upstream.connection;
    assert.equal(client.protocol, "chat");
    for (const text of ["hello", "", "€".repeat(50_000)]) {
      client.send(text);
      assert.equal(await nextMessage(client), text);
    }
    client.send(Buffer.from([0, 1, 2]), { binary: true });
    assert.equal(await nextMessage(client), "\0\x01\x02");
    client.ping("there?");
    assert.equal(String((await once(client, "pong"))[0]), "there?");
    server.ping("you?");
    assert.equal(String((await once(server, "pong"))[0]), "you?");
    client.close(3007, "done");
    const ends = await Promise.all([closed(client), closed(server)]);
    assert.deepEqual(ends, Array(2).fill({ code: 3007, reason: "done" }));
    assert.deepEqual(world.audit.events.slice(0, 3), [
      "connection allowed upstream.invalid",
      "request allowed /chat",
      "request completed 101",
    ]);
  });

  it("is closed by the upstream in the upstream's words", async () => {
    await using world = new LoopbackWorld({ endpoint });
    await using upstream = await startUpstream();
    const client = await dial(world, upstream);
    (await upstream.connection).close(4001, "log in again");
    assert.deepEqual(await closed(client), { code: 4001, reason: "log in again" });
  });

  it("passes a message in fragments on in fragments", async () => {
    await using world = new LoopbackWorld({ endpoint });
    await using upstream = await startUpstream();
    const client = await dial(world, upstream);
    client.send("one ", { fin: false });
    client.ping("between");
    client.send("two", { fin: true });
    assert.equal(await nextMessage(client), "one two");
    assert.deepEqual(upstream.heard, ["ping between", "text one two"]);
  });

  it("is never compressed, since that could not be read", async () => {
    await using world = new LoopbackWorld({ endpoint });
    await using upstream = await startUpstream();
    const client = await dial(world, upstream);
    client.send("x".repeat(10_000));
    assert.equal((await nextMessage(client)).length, 10_000);
    assert.equal(client.extensions, "");
    assert.equal(upstream.requests[0]?.headers["sec-websocket-extensions"], undefined);
  });

  it("masks what it forwards anew, so that a client can't choose the bytes on the wire", async () => {
    await using world = new LoopbackWorld({ endpoint });
    const heard = Promise.withResolvers<Buffer>();
    const port = await world.listen((socket) => answerHandshake(socket, (piece) => heard.resolve(piece)));
    const tunnel = await openTunnel(world, `upstream.invalid:${port}`);
    await sayHandshake(tunnel, `upstream.invalid:${port}`);
    tunnel.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x78]));
    const frame = await heard.promise;
    assert.equal((frame[6] ?? 0) ^ (frame[2] ?? 0), 0x78);
    assert.notEqual(frame.readUInt32BE(2), 0);
  });
});

describe("a WebSocket on an endpoint that masks credentials", () => {
  const attached = (secret: string, placeholder: string) =>
    new Credentials({ credentials: [{ provider: "hub", key: "TOKEN", placeholder, secret }] });
  const masking = { endpoint: plainEndpoint({ protocol: "websocket", maskCredentials: true }) };

  it("never says a secret that the upstream repeats, also one that came while it was open", async () => {
    await using world = new LoopbackWorld(masking);
    await using upstream = await startUpstream();
    world.credentials = attached("the-first-secret-of-the-hub", "placeholder-of-the-hubs-key");
    const client = await dial(world, upstream);
    const server = await upstream.connection;
    server.send("the-first-", { fin: false });
    server.send("secret-of-the-hub", { fin: true });
    assert.equal(await nextMessage(client), "placeholder-of-the-hubs-key");
    world.credentials = attached("the-next-secret-of-the-hub!", "placeholder-of-the-hubs-key");
    server.send(Buffer.from("the-next-secret-of-the-hub! the-first-secret-of-the-hub"), { binary: true });
    assert.equal(await nextMessage(client), "placeholder-of-the-hubs-key placeholder-of-the-hubs-key");
    server.close(4001, "no: the-next-secret-of-the-hub!");
    assert.deepEqual(await closed(client), { code: 4001, reason: "no: placeholder-of-the-hubs-key" });
  });

  it("is closed at a message that nobody could search", async () => {
    await using world = new LoopbackWorld(masking);
    await using upstream = await startUpstream();
    world.credentials = attached("the-first-secret-of-the-hub", "placeholder-of-the-hubs-key");
    const client = await dial(world, upstream);
    (await upstream.connection).send("x".repeat(300_000));
    const { code, reason } = await closed(client);
    assert.equal(code, 1008);
    assert.match(reason, /^credential\.unmaskable: /);
    while (!world.audit.events.includes("request refused credential.unmaskable")) await nextTurn();
  });
});

describe("a message that no rule allows", () => {
  it("closes the WebSocket with a reason, and nothing of it leaves", async () => {
    await using world = new LoopbackWorld(listenOnly);
    await using upstream = await startUpstream();
    const client = await dial(world, upstream);
    const server = await upstream.connection;
    const gone = once(server, "close");
    client.send("secret");
    const { code, reason } = await closed(client);
    assert.equal(code, 1008);
    assert.equal(reason, "inspect.no_rule: a text message on /chat not permitted by policy");
    await gone;
    assert.deepEqual(upstream.heard, ["close 1001"]);
    assert.ok(world.audit.events.includes("request refused inspect.no_rule"));
  });

  it("is no less refused when it is binary", async () => {
    await using world = new LoopbackWorld(listenOnly);
    await using upstream = await startUpstream();
    const client = await dial(world, upstream);
    client.send(Buffer.from("secret"), { binary: true });
    assert.match((await closed(client)).reason, /a binary message on \/chat/);
  });

  it("does not keep the client from hearing what the upstream says", async () => {
    await using world = new LoopbackWorld(listenOnly);
    await using upstream = await startUpstream();
    const client = await dial(world, upstream);
    (await upstream.connection).send("news");
    assert.equal(await nextMessage(client), "news");
    client.terminate();
  });

  it("passes where its endpoint is audited, and is on record", async () => {
    await using world = new LoopbackWorld({
      endpoint,
      request: ({ method }) => (method === "WEBSOCKET_TEXT" ? { ...noRule, auditOnly: true } : undefined),
    });
    await using upstream = await startUpstream();
    const client = await dial(world, upstream);
    client.send("hello");
    assert.equal(await nextMessage(client), "hello");
    assert.ok(world.audit.events.includes("request logged only /chat"));
    client.terminate();
  });

  it("is refused while the upstream is in the middle of a long frame, once that is complete", async () => {
    await using world = new LoopbackWorld(listenOnly);
    const port = await world.listen((socket) => {
      answerHandshake(socket, () => socket.write("b".repeat(9)));
      socket.write(Buffer.from([0x82, 10, 0x61]));
    });
    const host = `upstream.invalid:${port}`;
    const tunnel = await openTunnel(world, host);
    const rest = await sayHandshake(tunnel, host);
    if (rest.length === 0) await once(tunnel, "readable");
    tunnel.write(maskedText("x"));
    assert.match((await readAll(tunnel)).toString("latin1"), /b{9}\x88.\x03\xf0inspect\.no_rule/s);
  });
});

describe("a policy that changes while a WebSocket is open", () => {
  it("holds from the next message on", async () => {
    await using world = new LoopbackWorld({ endpoint });
    await using upstream = await startUpstream();
    const client = await dial(world, upstream);
    client.send("one");
    await nextMessage(client);
    world.policy = testPolicy({ ...listenOnly, version: 2 });
    client.send("two");
    assert.equal((await closed(client)).code, 1008);
    assert.ok(!upstream.heard.includes("text two"));
  });

  it("closes one that it would not have opened, when the upstream speaks next", async () => {
    await using world = new LoopbackWorld({ endpoint });
    await using upstream = await startUpstream();
    const client = await dial(world, upstream);
    world.policy = testPolicy({ endpoint, version: 2, request: () => noRule });
    (await upstream.connection).send("news");
    const { code, reason } = await closed(client);
    assert.equal(code, 1008);
    assert.match(reason, /^inspect\.no_rule: an open WebSocket on \/chat/);
  });
});

describe("a client that breaks the protocol", () => {
  const faults: readonly (readonly [what: string, code: number, frames: Buffer])[] = [
    ["a frame without a mask", 1002, Buffer.from([0x81, 1, 0x78])],
    ["a reserved bit", 1002, Buffer.from([0xc1, 0x81, 0, 0, 0, 0, 0x78])],
    ["text that is no UTF-8", 1007, Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff])],
  ];
  for (const [what, code, frames] of faults) {
    it(`by ${what} is closed with ${code}`, async () => {
      await using world = new LoopbackWorld({ endpoint });
      await using upstream = await startUpstream();
      const tunnel = await openTunnel(world, upstream.host);
      await sayHandshake(tunnel, upstream.host);
      tunnel.write(frames);
      const answer = await readAll(tunnel);
      assert.equal(answer[0], 0x88);
      assert.equal(answer.readUInt16BE(2), code);
      assert.ok(world.audit.events.includes("request refused inspect.ambiguous"));
    });
  }

  it("by leaving inside of a frame leaves the upstream with a broken connection and not with half a message", async () => {
    await using world = new LoopbackWorld({ endpoint });
    await using upstream = await startUpstream();
    const tunnel = await openTunnel(world, upstream.host);
    await sayHandshake(tunnel, upstream.host);
    const server = await upstream.connection;
    tunnel.end(Buffer.from([0x81, 0x85, 0, 0, 0, 0, 0x78]));
    assert.equal((await closed(server)).code, 1006);
    assert.deepEqual(upstream.heard, ["close 1006"]);
  });

  it("by leaving without a goodbye is seen to leave", async () => {
    await using world = new LoopbackWorld({ endpoint });
    await using upstream = await startUpstream();
    const tunnel = await openTunnel(world, upstream.host);
    await sayHandshake(tunnel, upstream.host);
    const server = await upstream.connection;
    tunnel.end();
    assert.equal((await closed(server)).code, 1006);
    assert.equal((await readAll(tunnel)).length, 0);
  });
});

describe("an upstream that breaks the protocol", () => {
  const frames: readonly (readonly [what: string, frames: Buffer])[] = [
    ["a masked frame", Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x78])],
    ["compression", Buffer.from([0xc1, 1, 0x78])],
    ["a close code that means nothing", Buffer.from([0x88, 2, 0x03, 0xed])],
  ];
  for (const [what, sent] of frames) {
    it(`by ${what} is cut off, and the client is told that it was not to blame`, async () => {
      await using world = new LoopbackWorld({ endpoint });
      const port = await world.listen((socket) => {
        answerHandshake(socket);
        socket.write(sent);
      });
      const host = `upstream.invalid:${port}`;
      const tunnel = await openTunnel(world, host);
      const answer = Buffer.concat([await sayHandshake(tunnel, host), await readAll(tunnel)]);
      assert.equal(answer[0], 0x88);
      assert.equal(answer.readUInt16BE(2), 1014);
      while (world.path.open() > 0) await nextTurn();
      assert.ok(world.audit.events.includes("request refused forward.reset"));
    });
  }

  const answers: readonly (readonly [what: string, fields: string])[] = [
    ["accepts another key", "Sec-WebSocket-Accept: AAAALMBiTxaQ9kYGzzhZRbK+xOo=\r\n"],
    [
      "answers with an extension",
      `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n`,
    ],
    ["answers with a subprotocol nobody offered", `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: x\r\n`],
  ];
  for (const [what, fields] of answers) {
    it(`does not get its upgrade if it ${what}`, async () => {
      await using world = new LoopbackWorld({ endpoint });
      const port = await world.listen((socket) => {
        socket.once("data", () => socket.write(`${switching}${fields}\r\n`));
      });
      const host = `upstream.invalid:${port}`;
      const tunnel = await openTunnel(world, host);
      tunnel.write(handshake(host));
      assert.match((await readAll(tunnel)).toString("latin1"), /^HTTP\/1\.1 502 [\s\S]*"reason":"forward\.reset"/);
    });
  }
});

function handshake(host: string): string {
  return (
    `GET /chat HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`
  );
}

/** Plays the server's part of the handshake, and then hears frames. */
function answerHandshake(socket: Socket, onFrames: (piece: Buffer) => void = () => {}): void {
  socket.once("data", () => socket.on("data", onFrames));
  socket.on("end", () => socket.end());
  socket.write(`${switching}Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
}

/** Plays the client's part; gives what came right after the answer. From here the tunnel is read by hand. */
async function sayHandshake(tunnel: Socket, host: string): Promise<Buffer> {
  tunnel.pause();
  tunnel.write(handshake(host));
  let answer = Buffer.alloc(0);
  while (!answer.includes("\r\n\r\n")) {
    await once(tunnel, "readable");
    answer = Buffer.concat([answer, tunnel.read() ?? Buffer.alloc(0)]);
  }
  assert.match(answer.toString("latin1"), /^HTTP\/1\.1 101 /);
  return answer.subarray(answer.indexOf("\r\n\r\n") + 4);
}

/** Everything until the other side ends. */
async function readAll(tunnel: Socket): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of tunnel) pieces.push(piece);
  return Buffer.concat(pieces);
}

function maskedText(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
}
