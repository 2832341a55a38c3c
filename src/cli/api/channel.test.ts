/** What callers may rely on, whichever carriage their calls take. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer as createPlainServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, createContextValues, type ServiceImpl } from "@connectrpc/connect";
import { isOwnProgram } from "../../gateway/server/caller.ts";
import { createLocalApi } from "../../gateway/server/local-api.ts";
import { createStreamCalls } from "../../gateway/server/stream-calls.ts";
import { type TcpForwardFrame, TcpForwardFrameSchema } from "../../gen/openshell/v1/access_pb.ts";
import { OpenShell } from "../../gen/openshell/v1/openshell_pb.ts";
import { LOCAL_GREETING } from "../../net/local-call.ts";
import { fakeGateway } from "../test-support/fake-gateway.ts";
import { Channel } from "./channel.ts";
import { forwardTcp } from "./forward-wire.ts";
import { Http2Carriage } from "./http2-carriage.ts";
import { openLocalCarriage } from "./local-carriage.ts";
import { getSandbox, health, watchSandbox } from "./methods.ts";
import { RpcError } from "./rpc-error.ts";

type Methods = Partial<ServiceImpl<typeof OpenShell>>;

interface Served extends AsyncDisposable {
  readonly channel: Channel;
}

async function overHttp2(methods: Methods): Promise<Served> {
  const gateway = await fakeGateway(methods);
  const channel = new Channel(await Http2Carriage.open(gateway));
  return {
    channel,
    async [Symbol.asyncDispose]() {
      channel[Symbol.dispose]();
      await gateway[Symbol.asyncDispose]();
    },
  };
}

async function overSocket(methods: Methods): Promise<Served> {
  const directory = mkdtempSync(join(tmpdir(), "openshell-channel-"));
  const path = join(directory, "api.sock");
  const calls = createStreamCalls({
    routes: (router: ConnectRouter) => void router.service(OpenShell, methods),
    router: {},
    log: { info: assert.fail, error: assert.fail },
  });
  const server = createLocalApi(calls, { admits: isOwnProgram, contextValues: createContextValues });
  server.listen(path);
  await once(server, "listening");
  const channel = new Channel(await openLocalCarriage(path));
  return {
    channel,
    async [Symbol.asyncDispose]() {
      channel[Symbol.dispose]();
      server.close();
      // Only once every connection is gone: a call that stays would make the test hang here.
      await once(server, "close");
      rmSync(directory, { recursive: true });
    },
  };
}

const frame = (data: Uint8Array) =>
  create(TcpForwardFrameSchema, { payload: { case: "data", value: new Uint8Array(data) } });

/** Says back what it hears until the input is closed. */
async function* echo(inputs: AsyncIterable<TcpForwardFrame>) {
  for await (const { payload } of inputs) if (payload.case === "data") yield frame(payload.value);
  yield frame(Buffer.from("over"));
}

async function collected<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = [];
  for await (const message of messages) read.push(message);
  return read;
}

const isRpcError = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof RpcError && error.code === code && message.test(error.message);

for (const [carriage, serve] of [
  ["HTTP/2", overHttp2],
  ["the Unix socket", overSocket],
] as const) {
  describe(`a call over ${carriage}`, () => {
    it("takes one message and gives one, also many at a time", async () => {
      await using served = await serve({
        getSandbox: ({ name }) => ({ sandbox: { metadata: { name: `${name} ü` } } }),
      });
      const names = ["a", "b", "c", "d"];
      const answers = await Promise.all(names.map((name) => served.channel.unary(getSandbox, { name })));
      assert.deepEqual(
        answers.map(({ sandbox }) => sandbox?.metadata?.name),
        ["a ü", "b ü", "c ü", "d ü"],
      );
    });

    it("carries a message of megabytes", async () => {
      await using served = await serve({ getSandbox: ({ name }) => ({ sandbox: { metadata: { name } } }) });
      const name = "x".repeat(3_000_000);
      const { sandbox } = await served.channel.unary(getSandbox, { name });
      assert.equal(sandbox?.metadata?.name, name);
    });

    it("fails with the gateway's code and words", async () => {
      await using served = await serve({
        getSandbox() {
          throw new ConnectError("there is none", Code.NotFound);
        },
        // biome-ignore lint/correctness/useYield: it fails before it has anything to say
        async *watchSandbox() {
          throw new ConnectError("not now", Code.Unavailable);
        },
      });
      await assert.rejects(served.channel.unary(getSandbox, { name: "a" }), isRpcError("not_found", /^there is none$/));
      await assert.rejects(served.channel.unary(health, {}), isRpcError("unimplemented", /./));
      const events = served.channel.serverStream(watchSandbox, { id: "a" });
      await assert.rejects(collected(events), isRpcError("unavailable", /^not now$/));
    });

    it("gives a stream of answers until its end", async () => {
      await using served = await serve({
        async *watchSandbox({ id }) {
          for (const name of ["one", "two"]) yield { payload: { case: "sandbox", value: { metadata: { id, name } } } };
        },
      });
      const events = await collected(served.channel.serverStream(watchSandbox, { id: "a" }));
      assert.deepEqual(
        events.map(({ sandbox }) => sandbox?.metadata?.name),
        ["one", "two"],
      );
    });

    it("goes both ways at once, to the end of the input", async () => {
      await using served = await serve({ forwardTcp: echo });
      const call = served.channel.duplex(forwardTcp);
      const events = call[Symbol.asyncIterator]();
      for (const word of ["first", "second"]) {
        call.send({ kind: "data", data: Buffer.from(word) });
        assert.equal(Buffer.from((await events.next()).value).toString(), word);
      }
      call.end();
      assert.equal(Buffer.from((await events.next()).value).toString(), "over");
      assert.equal((await events.next()).done, true);
    });

    it("ends for the gateway when the client no longer wants it", async () => {
      const ended = Promise.withResolvers<void>();
      await using served = await serve({
        async *watchSandbox(_request, { signal }) {
          signal.addEventListener("abort", () => ended.resolve());
          yield { payload: { case: "sandbox", value: {} } };
          await ended.promise;
        },
      });
      for await (const _ of served.channel.serverStream(watchSandbox, { id: "a" })) break;
      await ended.promise;
    });

    it("ends for the gateway when it is cancelled while input waits that nobody reads", async () => {
      const ended = Promise.withResolvers<void>();
      await using served = await serve({
        async *forwardTcp(_inputs, { signal }) {
          signal.addEventListener("abort", () => ended.resolve());
          await ended.promise;
        },
      });
      const call = served.channel.duplex(forwardTcp);
      while (call.send({ kind: "data", data: Buffer.alloc(65_536) }));
      // Time for the other side to read as much as it is going to.
      await served.channel.unary(health, {}).catch(() => {});
      call.cancel();
      await ended.promise;
    });

    it("is rejected as cancelled by its signal", async () => {
      await using served = await serve({ getSandbox: () => new Promise(() => {}) });
      const stop = new AbortController();
      const answer = served.channel.unary(getSandbox, { name: "a" }, { signal: stop.signal });
      stop.abort();
      await assert.rejects(answer, isRpcError("canceled", /./));
    });

    it("makes a client that sends faster than it is read wait", async () => {
      const read = Promise.withResolvers<void>();
      let bytes = 0;
      await using served = await serve({
        async *forwardTcp(inputs) {
          await read.promise;
          for await (const { payload } of inputs) bytes += payload.case === "data" ? payload.value.length : 0;
          yield frame(Buffer.from("over"));
        },
      });
      const call = served.channel.duplex(forwardTcp);
      const input = { kind: "data", data: Buffer.alloc(65_536) } as const;
      let sent = 1;
      while (call.send(input)) sent += 1;
      assert.ok(sent < 100, `${sent} messages are under way`);
      read.resolve();
      await call.drained();
      call.end();
      assert.equal(Buffer.concat(await collected(call)).toString(), "over");
      assert.equal(bytes, sent * 65_536);
    });

    it("makes a gateway that answers faster than it is read wait", async () => {
      let produced = 0;
      await using served = await serve({
        async *forwardTcp() {
          for (; produced < 10_000; produced += 1) yield frame(Buffer.alloc(65_536));
        },
      });
      const events = served.channel.duplex(forwardTcp)[Symbol.asyncIterator]();
      await events.next();
      // The gateway answers this after it has filled whatever is between.
      await served.channel.unary(health, {}).catch(() => {});
      assert.ok(produced < 1_000, `${produced} messages are under way`);
      await events.return?.(undefined);
    });

    it("tells that the connection broke when the gateway goes away", async () => {
      await using served = await serve({ getSandbox: () => new Promise(() => {}) });
      const answer = served.channel.unary(getSandbox, { name: "a" });
      served.channel[Symbol.dispose]();
      await assert.rejects(answer, isRpcError("unavailable", /broke/));
    });
  });
}

describe("the socket of this machine's gateway", () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "openshell-channel-"));
  });
  after(() => {
    rmSync(directory, { recursive: true });
  });

  /** A server that does as told with each connection, and what a client makes of it. */
  async function opening(serve: (socket: Socket) => void): Promise<Channel> {
    const path = join(directory, "api.sock");
    const server = createPlainServer((socket) => void serve(socket.on("error", () => {})));
    server.listen(path);
    await once(server, "listening");
    try {
      return new Channel(await openLocalCarriage(path));
    } finally {
      server.close();
    }
  }

  it("is not taken when nobody greets there, or nothing is there, or it is no socket", async () => {
    await assert.rejects(
      opening((socket) => socket.end()),
      /lets nobody in/,
    );
    await assert.rejects(openLocalCarriage(join(directory, "absent.sock")), /ENOENT/);
    await assert.rejects(openLocalCarriage(directory), /is not a socket/);
  });

  it("must speak as it should", async () => {
    const strangers: readonly (readonly [string, RegExp])[] = [
      ["openshell-api 2\n", /broke/],
      [`${LOCAL_GREETING}\nno JSON\n`, /broke/],
      [`${LOCAL_GREETING}\n${"x".repeat(5000)}`, /broke/],
      [`${LOCAL_GREETING}\n{"status":200}\n{"sandbox":{`, /not like a gateway/],
    ];
    for (const [said, error] of strangers) {
      using channel = await opening((socket) => socket.end(said));
      await assert.rejects(channel.unary(getSandbox, { name: "a" }), isRpcError("unavailable", error), said);
    }
  });

  it("gives whoever speaks otherwise an error, or nothing", async () => {
    const path = join(directory, "given.sock");
    const calls = createStreamCalls({
      routes: (router: ConnectRouter) => void router.service(OpenShell, {}),
      router: {},
      log: { info: assert.fail, error: assert.fail },
    });
    const server = createLocalApi(calls, { admits: isOwnProgram, contextValues: createContextValues });
    server.listen(path);
    await once(server, "listening");
    const answerTo = async (bytes: string | Buffer): Promise<string> => {
      const socket = connect(path);
      let answer = "";
      socket.on("data", (chunk) => {
        answer += chunk.toString();
      });
      socket.on("error", () => {}).write(bytes);
      await once(socket, "close");
      return answer;
    };
    assert.match(await answerTo('{"path":"/Nothing","contentType":"application/json"}\n'), /"unimplemented"/);
    assert.match(await answerTo("GET / HTTP/1.1\r\n\r\n"), /cannot be read/);
    assert.equal(await answerTo(Buffer.alloc(5_000, "a")), `${LOCAL_GREETING}\n`);
    // An envelope that no message of ours can be.
    const opening = '{"path":"/openshell.v1.OpenShell/Health","contentType":"application/json"}\n';
    assert.doesNotMatch(await answerTo(Buffer.concat([Buffer.from(opening), Buffer.alloc(9, 0xff)])), /"status":200/);
    server.close();
  });
});
