import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { describe, it } from "node:test";
import { observing } from "../../policy/observe.ts";
import { clientSocketPair } from "./01-intercept/client-socket-pair.ts";
import { maxConnections } from "./10-forward/limits.ts";
import type { Intercepted } from "./connection.ts";
import { createDecisionPath } from "./decision-path.ts";
import {
  LoopbackWorld,
  plainEndpoint,
  type TestClient,
  type TestPolicy,
  testPolicy,
  upstreamHost,
} from "./test-support/loopback-world.ts";

const denyAll: TestPolicy = { connect: () => ({ kind: "deny", reason: "decide.implicit_deny" }) };

/** What a captured connection becomes; `port` is where it wanted to go. */
function captured(socket: Socket, port: number): Intercepted {
  const client = clientSocketPair(socket);
  assert.ok(client !== undefined);
  return {
    id: "captured",
    listener: "transparent",
    awaiting: "nothing",
    stream: socket,
    client,
    destination: { host: upstreamHost, port },
    asked: "upstream.invalid",
    startedAt: 0,
  };
}

/** A client whose connection to `port` is captured. */
async function capturedClient(world: LoopbackWorld, port: number): Promise<TestClient> {
  const listener = await world.listen((socket) => void world.path.follow(captured(socket, port)));
  return world.connect(listener);
}

async function errorOf(client: TestClient): Promise<unknown> {
  return new Promise((resolve) => client.socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code)));
}

describe("a captured connection that is refused", () => {
  it("is told in HTTP if it speaks HTTP", async () => {
    await using world = new LoopbackWorld(denyAll);
    const client = await capturedClient(world, 80);
    client.say("GET / HTTP/1.1\r\nHost: upstream.invalid\r\n\r\n");
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 403 Forbidden\r\n/);
  });

  it("gets a TLS alert if it speaks TLS", async () => {
    await using world = new LoopbackWorld(denyAll);
    const client = await capturedClient(world, 443);
    client.say("\x16\x03\x01\x00\x05hello");
    assert.equal(await client.untilClosed(), "\x15\x03\x03\x00\x02\x02\x31");
  });

  it("is reset if it speaks something else, or nothing", async () => {
    await using world = new LoopbackWorld(denyAll);
    const client = await capturedClient(world, 22);
    client.say("SSH-2.0-x\r\n");
    assert.equal(await errorOf(client), "ECONNRESET");
    const silent = await capturedClient(world, 25);
    assert.equal(await errorOf(silent), "ECONNRESET");
  });
});

describe("a connection that is allowed", () => {
  it("passes in both directions on a layer-4 endpoint, whoever speaks first", async () => {
    await using world = new LoopbackWorld({ endpoint: plainEndpoint() });
    const port = await world.listen((socket) => {
      socket.write("220 ready");
      socket.on("data", (piece: Buffer) => socket.write(`you said ${piece.toString("latin1")}`));
      socket.on("end", () => socket.end());
    });
    const client = await capturedClient(world, port);
    await client.until(/^220 ready$/);
    client.say("HELO");
    await client.until(/you said HELO$/);
    client.socket.end();
    await client.untilClosed();
  });

  it("is broken off for the upstream when the client breaks it off", async () => {
    await using world = new LoopbackWorld({ endpoint: plainEndpoint() });
    const broken = Promise.withResolvers<unknown>();
    const port = await world.listen((socket) => {
      socket.write("x");
      socket.on("error", (error: NodeJS.ErrnoException) => broken.resolve(error.code));
    });
    const client = await capturedClient(world, port);
    await client.until(/x/);
    client.socket.resetAndDestroy();
    assert.equal(await broken.promise, "ECONNRESET");
  });

  it("is cut when the policy that is set no longer allows it", async () => {
    await using world = new LoopbackWorld({ endpoint: plainEndpoint() });
    const port = await world.listen((socket) => socket.write("x"));
    const client = await capturedClient(world, port);
    await client.until(/x/);
    world.path.recheck();
    assert.equal(world.path.open(), 1);
    world.policy = new LoopbackWorld(denyAll).policy;
    const error = errorOf(client);
    world.path.recheck();
    assert.equal(await error, "ECONNRESET");
  });

  it("is cut when the policy that is set would inspect it", async () => {
    await using world = new LoopbackWorld({ endpoint: plainEndpoint() });
    const port = await world.listen((socket) => socket.write("x"));
    const client = await capturedClient(world, port);
    await client.until(/x/);
    world.policy = new LoopbackWorld().policy;
    const error = errorOf(client);
    world.path.recheck();
    assert.equal(await error, "ECONNRESET");
  });

  it("carries more than the memory that may be used for it, complete", async () => {
    await using world = new LoopbackWorld({ endpoint: plainEndpoint() });
    const size = 16 * 1024 * 1024;
    const received = Promise.withResolvers<number>();
    const port = await world.listen((socket) => {
      let count = 0;
      socket.on("data", (piece: Buffer) => {
        count += piece.length;
      });
      socket.on("end", () => received.resolve(count));
    });
    const client = await capturedClient(world, port);
    client.socket.end(Buffer.alloc(size));
    assert.equal(await received.promise, size);
  });
});

describe("whatever goes wrong", () => {
  it("an exception in a step denies", async () => {
    await using world = new LoopbackWorld();
    const context = world.context();
    const broken = new Error("defect");
    const identify = () => Promise.reject(broken);
    const path = createDecisionPath({ ...context, steps: { ...context.steps, identify } });
    const ended = Promise.withResolvers<string>();
    const listener = await world.listen((socket) => void path.follow(captured(socket, 80)).then(ended.resolve));
    const client = await world.connect(listener);
    await client.untilClosed();
    assert.equal(await ended.promise, "closed");
    assert.deepEqual(world.defects, [broken]);
  });

  it("one connection too many is refused", async () => {
    await using world = new LoopbackWorld(denyAll);
    const context = world.context();
    const never = new Promise<never>(() => {});
    const path = createDecisionPath({ ...context, steps: { ...context.steps, identify: () => never } });
    const listener = await world.listen((socket) => {
      for (let i = 0; i < maxConnections; i++) void path.follow({ ...captured(socket, 80), stream: new Duplex() });
      void path.follow(captured(socket, 80));
    });
    const client = await world.connect(listener);
    client.say("GET / HTTP/1.1\r\nHost: upstream.invalid\r\n\r\n");
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 503 [\s\S]*intercept\.busy/);
  });

  it("what can't be put on record is not allowed", async () => {
    await using world = new LoopbackWorld({ endpoint: plainEndpoint() });
    const context = world.context();
    const connectionAllowed = () => ({ refused: "audit.unwritable", detail: "disk full" }) as const;
    const audit = Object.assign(Object.create(context.audit), { connectionAllowed });
    const path = createDecisionPath({ ...context, audit });
    const port = await world.listen(() => assert.fail("nothing is dialled"));
    const listener = await world.listen((socket) => void path.follow(captured(socket, port)));
    const client = await world.connect(listener);
    client.say("GET / HTTP/1.1\r\nHost: upstream.invalid\r\n\r\n");
    assert.match(await client.untilClosed(), /audit\.unwritable/);
  });
});

describe("a connection that is only observed", () => {
  /** A world in which nothing is denied, though no rule allows anything. */
  function observedWorld(): LoopbackWorld {
    const world = new LoopbackWorld();
    world.policy = observing(testPolicy(denyAll));
    return world;
  }

  it("is looked into if it is HTTP, each request recorded as it would have been decided", async () => {
    await using world = observedWorld();
    const port = await world.listen((socket) => {
      socket.on("data", () => socket.write("HTTP/1.1 204 No Content\r\n\r\n"));
    });
    const client = await capturedClient(world, port);
    client.say(`GET /learned HTTP/1.1\r\nHost: upstream.invalid:${port}\r\n\r\n`);
    await client.until(/^HTTP\/1\.1 204 /);
    assert.ok(world.audit.events.includes("request logged only /learned"));
  });

  it("passes as it is if it is something else, whoever speaks first", async () => {
    await using world = observedWorld();
    const port = await world.listen((socket) => {
      socket.write("220 ready");
      socket.on("data", () => socket.write("221 bye"));
    });
    const talkative = await capturedClient(world, port);
    talkative.say("SSH-2.0-x\r\n");
    await talkative.until(/221 bye$/);
    const silent = await capturedClient(world, port);
    await silent.until(/^220 ready$/);
    assert.ok(!world.audit.events.some((event) => event.startsWith("request")));
  });

  it("is still refused where it has two readings", async () => {
    await using world = observedWorld();
    const client = await capturedClient(world, 80);
    client.say("GET / HTTP/1.1\r\nHost: upstream.invalid\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 400 [\s\S]*inspect\.ambiguous/);
  });
});
