import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { responseHeadTimeoutMs } from "../../10-forward/limits.ts";
import {
  LoopbackWorld,
  noRule,
  plainEndpoint,
  type TestClient,
  type TestPolicy,
  testPolicy,
} from "../../test-support/loopback-world.ts";

/** A tunnel through the proxy to an upstream that `onConnection` plays. */
async function tunnel(
  world: LoopbackWorld,
  onConnection: (socket: Socket) => void,
): Promise<{ client: TestClient; host: string }> {
  const port = await world.listen(onConnection);
  const client = await world.connect(await world.proxy());
  const host = `upstream.invalid:${port}`;
  client.say(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await client.until(/^HTTP\/1\.1 200 .*\r\n\r\n/);
  return { client, host };
}

/** An upstream that remembers what it heard and answers each head it sees with the next answer. */
function scripted(...answers: readonly string[]) {
  const heard: string[] = [];
  const left = [...answers];
  return {
    heard,
    play: (socket: Socket): void => {
      let text = "";
      socket.on("data", (piece: Buffer) => {
        text += piece.toString("latin1");
        heard.splice(0, heard.length, text);
        // Answers when the script's next answer is due: one for each end of a head that has come.
        const heads = text.split("\r\n\r\n").length - 1;
        while (left.length > 0 && answers.length - left.length < heads) socket.write(left.shift() ?? "", "latin1");
      });
    },
  };
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

function get(host: string, path = "/", extra = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${extra}\r\n`;
}

describe("requests on a kept connection", () => {
  it("are each decided anew", async () => {
    const policy: TestPolicy = { request: ({ path }) => (path === "/no" ? noRule : undefined) };
    await using world = new LoopbackWorld(policy);
    const upstream = scripted(ok, ok);
    const { client, host } = await tunnel(world, upstream.play);
    client.say(get(host, "/yes"));
    await client.until(/\r\n\r\nok$/);
    client.say(get(host, "/no"));
    const refused = await client.until(/\r\n\r\n\{.*\}\n$/);
    assert.match(refused, /^HTTP\/1\.1 403 Forbidden\r\n/);
    assert.match(refused, /\r\nX-OpenShell-Reason: inspect\.no_rule\r\n/);
    assert.doesNotMatch(refused, /Connection: close/);
    const body = JSON.parse(refused.slice(refused.indexOf("{")));
    assert.equal(body.error, "policy_denied");
    assert.equal(body.detail, "GET /no not permitted by policy");
    assert.equal(body.rule, "test");
    client.say(get(host, "/again"));
    await client.until(/\r\n\r\nok$/);
    assert.ok(!upstream.heard.join("").includes("/no"));
    assert.deepEqual(world.audit.events, [
      "connection allowed upstream.invalid",
      "request allowed /yes",
      "request completed 200",
      "request refused inspect.no_rule",
      "request allowed /again",
      "request completed 200",
    ]);
  });

  it("follow a policy that changes meanwhile", async () => {
    await using world = new LoopbackWorld();
    const upstream = scripted(ok, ok);
    const { client, host } = await tunnel(world, upstream.play);
    client.say(get(host));
    await client.until(/ok$/);
    world.policy = testPolicy({ version: 2, connect: () => ({ kind: "deny", reason: "decide.implicit_deny" }) });
    client.say(get(host));
    assert.match(await client.until(/\}\n$/), /decide\.implicit_deny/);
  });

  it("are cut when the policy is rechecked and no longer allows the destination", async () => {
    await using world = new LoopbackWorld();
    const { client, host } = await tunnel(world, scripted(ok).play);
    client.say(get(host));
    await client.until(/ok$/);
    world.path.recheck();
    assert.equal(world.path.open(), 1);
    world.policy = testPolicy({ version: 2, connect: () => ({ kind: "deny", reason: "decide.implicit_deny" }) });
    world.path.recheck();
    await client.untilClosed();
  });

  it("are answered in order when they are pipelined, the next one sent only after the last response", async () => {
    await using world = new LoopbackWorld();
    const seen: string[] = [];
    const { client, host } = await tunnel(world, (socket) => {
      socket.on("data", (piece: Buffer) => {
        const text = piece.toString("latin1");
        seen.push(...text.matchAll(/GET (\S+)/g).map(([, path]) => path ?? ""));
        assert.equal(text.split("GET").length, 2, "one request at a time");
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${text.slice(5, 6)}.`);
      });
    });
    client.say(get(host, "/1") + get(host, "/2") + get(host, "/3"));
    await client.until(/1\.[\s\S]*2\.[\s\S]*3\.$/);
    assert.deepEqual(seen, ["/1", "/2", "/3"]);
  });

  it("pass in audit mode although no rule allows them, and are logged", async () => {
    await using world = new LoopbackWorld({ request: () => ({ ...noRule, auditOnly: true }) });
    const { client, host } = await tunnel(world, scripted(ok).play);
    client.say(get(host));
    await client.until(/ok$/);
    assert.ok(world.audit.events.includes("request logged only /"));
  });

  it("are refused under another method's name unless that is allowed too", async () => {
    await using world = new LoopbackWorld({ request: ({ method }) => (method === "DELETE" ? noRule : undefined) });
    const { client, host } = await tunnel(world, scripted(ok).play);
    client.say(get(host, "/", "X-HTTP-Method-Override: delete\r\n"));
    assert.match(await client.until(/\}\n$/), /^HTTP\/1\.1 403 /);
  });
});

describe("a refused request's body", () => {
  for (const [name, body] of [
    ["counted", "Content-Length: 5\r\n\r\nhello"],
    ["chunked", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"],
  ] as const) {
    it(`is read away when it is small and ${name}`, async () => {
      await using world = new LoopbackWorld({ request: ({ method }) => (method === "POST" ? noRule : undefined) });
      const { client, host } = await tunnel(world, scripted(ok).play);
      client.say(`POST / HTTP/1.1\r\nHost: ${host}\r\n${body}${get(host)}`);
      assert.match(await client.until(/\}\n/), /^HTTP\/1\.1 403 /);
      await client.until(/ok$/);
    });
  }

  it("closes the connection when it is big", async () => {
    await using world = new LoopbackWorld({ request: () => noRule });
    const { client, host } = await tunnel(world, scripted().play);
    client.say(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000000\r\n\r\n`);
    assert.match(await client.untilClosed(), /403 Forbidden[\s\S]*Connection: close/);
  });

  it("closes the connection when the client waits for 100 Continue", async () => {
    await using world = new LoopbackWorld({ request: () => noRule });
    const { client, host } = await tunnel(world, scripted().play);
    client.say(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n`);
    assert.match(await client.untilClosed(), /403 Forbidden[\s\S]*Connection: close/);
  });
});

describe("what is forwarded", () => {
  it("is the canonical request without hop-by-hop fields", async () => {
    await using world = new LoopbackWorld();
    const upstream = scripted(ok);
    const { client, host } = await tunnel(world, upstream.play);
    client.say(
      `GET /%7Euser/%61 HTTP/1.1\r\nAccept: */*\r\nHost: ${host.toUpperCase()}\r\nConnection: keep-alive, X-Hop\r\n` +
        "X-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authorization: Basic c2VjcmV0\r\nTE: trailers\r\nX-End: 2\r\n\r\n",
    );
    await client.until(/ok$/);
    assert.equal(upstream.heard[0], `GET /~user/a HTTP/1.1\r\nHost: ${host}\r\nAccept: */*\r\nX-End: 2\r\n\r\n`);
  });

  it("keeps interim responses, and the body waits for them", async () => {
    await using world = new LoopbackWorld();
    let body = "";
    const { client, host } = await tunnel(world, (socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n");
        socket.on("data", (piece: Buffer) => {
          body += piece.toString("latin1");
          if (body === "hello") socket.write(ok);
        });
      });
    });
    client.say(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n`);
    await client.until(/103 Early Hints[\s\S]*100 Continue\r\n\r\n$/);
    client.say("hello");
    await client.until(/ok$/);
  });

  it("keeps chunks and trailers", async () => {
    await using world = new LoopbackWorld();
    const chunked = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n";
    const upstream = scripted("", `HTTP/1.1 200 OK\r\n${chunked}`);
    const { client, host } = await tunnel(world, upstream.play);
    client.say(`POST / HTTP/1.1\r\nHost: ${host}\r\n${chunked}`);
    const answer = await client.until(/X-Sum: 1\r\n\r\n$/);
    assert.equal(answer, `HTTP/1.1 200 OK\r\n${chunked}`);
    assert.equal(upstream.heard[0], `POST / HTTP/1.1\r\nHost: ${host}\r\n${chunked}`);
  });

  it("has no body after HEAD, 204 and 304, whatever the fields say", async () => {
    await using world = new LoopbackWorld();
    const upstream = scripted(
      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
      "HTTP/1.1 204 No Content\r\n\r\n",
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n",
      ok,
    );
    const { client, host } = await tunnel(world, upstream.play);
    client.say(`HEAD / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await client.until(/Content-Length: 100\r\n\r\n$/);
    client.say(get(host));
    await client.until(/204 No Content\r\n\r\n$/);
    client.say(get(host));
    await client.until(/304 [\s\S]*\r\n\r\n$/);
    client.say(get(host));
    await client.until(/ok$/);
  });

  it("ends with the connection when the upstream frames it so", async () => {
    await using world = new LoopbackWorld();
    const { client, host } = await tunnel(world, (socket) => {
      socket.once("data", () => socket.end("HTTP/1.0 200 OK\r\n\r\nall of it"));
    });
    client.say(get(host));
    assert.match(await client.untilClosed(), /Connection: close\r\n\r\nall of it$/);
    assert.equal(world.audit.events.at(-1), "request completed 200");
  });

  it("streams more than the memory that may be used for it", async () => {
    await using world = new LoopbackWorld();
    const size = 8 * 1024 * 1024;
    let sent = 0;
    const { client, host } = await tunnel(world, (socket) => {
      let got = 0;
      socket.on("data", (piece: Buffer) => {
        got += piece.length;
        if (got > size) socket.write(ok);
      });
    });
    client.say(`PUT /big HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${size}\r\n\r\n`);
    const piece = Buffer.alloc(256 * 1024, 0x61);
    for (; sent < size; sent += piece.length) client.socket.write(piece);
    await client.until(/ok$/);
    assert.ok(world.audit.events.includes("request completed 200"));
  });
});

describe("an upstream that can't be understood", () => {
  const malformed: readonly (readonly [name: string, answer: string])[] = [
    ["both framings", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"],
    ["no HTTP", "SSH-2.0-x\r\n\r\n"],
    ["bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"],
    ["a switch nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"],
    ["a folded field", "HTTP/1.1 200 OK\r\nA: 1\r\n 2\r\nContent-Length: 0\r\n\r\n"],
  ];
  for (const [name, answer] of malformed) {
    it(`is answered for with 502: ${name}`, async () => {
      await using world = new LoopbackWorld();
      const { client, host } = await tunnel(world, scripted(answer).play);
      client.say(get(host));
      assert.match(await client.untilClosed(), /^HTTP\/1\.1 502 Bad Gateway\r\n[\s\S]*forward\.reset/);
      assert.ok(world.audit.events.includes("request refused forward.reset"));
    });
  }

  it("is answered for with 502 when it closes instead of answering", async () => {
    await using world = new LoopbackWorld();
    const { client, host } = await tunnel(world, (socket) => socket.once("data", () => socket.end()));
    client.say(get(host));
    assert.match(await client.untilClosed(), /502 Bad Gateway[\s\S]*forward\.reset/);
  });

  it("is answered for with 504 when it does not answer in time", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const start = performance.now();
    let passed = 0;
    context.mock.method(performance, "now", () => start + passed);
    await using world = new LoopbackWorld();
    const asked = Promise.withResolvers<void>();
    const { client, host } = await tunnel(world, (socket) => socket.once("data", () => asked.resolve()));
    client.say(get(host));
    await asked.promise;
    // Until the proxy waits for the answer, which it does soon after it has sent the request.
    await new Promise((resolve) => setImmediate(resolve));
    passed = responseHeadTimeoutMs;
    context.mock.timers.tick(responseHeadTimeoutMs);
    assert.match(await client.until(/\}\n$/), /^HTTP\/1\.1 504 [\s\S]*forward\.timeout/);
  });

  it("breaks the client's connection when it breaks off within a body", async () => {
    await using world = new LoopbackWorld();
    const { client, host } = await tunnel(world, (socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart"));
    });
    client.say(get(host));
    const error = new Promise((resolve) => client.socket.once("error", resolve));
    assert.equal(((await error) as NodeJS.ErrnoException).code, "ECONNRESET");
    assert.ok(world.audit.events.includes("request refused forward.reset"));
  });

  it("does not get a response in before the request (response queue poisoning)", async () => {
    await using world = new LoopbackWorld();
    const { client, host } = await tunnel(
      world,
      scripted(`${ok}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`).play,
    );
    client.say(get(host));
    await client.until(/ok$/);
    client.say(get(host));
    assert.match(await client.untilClosed(), /502 Bad Gateway[\s\S]*forward\.reset/);
  });
});

describe("an upgrade", () => {
  const websocket =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

  it("on what is not inspected is relayed as it is, once the upstream has switched", async () => {
    await using world = new LoopbackWorld({ endpoint: plainEndpoint() });
    const port = await world.listen((socket) => {
      socket.once("data", (head: Buffer) => {
        assert.match(head.toString("latin1"), /\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/);
        socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nA: b\r\n\r\nfirst",
        );
        socket.on("data", (piece: Buffer) => socket.write(`echo ${piece.toString("latin1")}`));
        socket.on("end", () => socket.end());
      });
    });
    const client = await world.connect(await world.proxy());
    const host = `upstream.invalid:${port}`;
    client.say(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n${websocket}\r\n`);
    await client.until(/^HTTP\/1\.1 101 [\s\S]*\r\nA: b\r\n\r\nfirst$/);
    client.say("hello");
    await client.until(/echo hello$/);
    client.socket.end();
    await client.untilClosed();
  });

  it("to anything but WebSocket is refused", async () => {
    await using world = new LoopbackWorld();
    const { client, host } = await tunnel(world, scripted().play);
    client.say(get(host, "/", "Connection: Upgrade\r\nUpgrade: tls/1.2\r\n"));
    assert.match(await client.until(/\}\n$/), /403 Forbidden[\s\S]*inspect\.upgrade/);
  });

  it("to cleartext HTTP/2 is dropped, and the request goes on", async () => {
    await using world = new LoopbackWorld();
    const upstream = scripted(ok);
    const { client, host } = await tunnel(world, upstream.play);
    client.say(get(host, "/", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n"));
    await client.until(/ok$/);
    assert.equal(upstream.heard[0], `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  });
});
