import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { Channel } from "../../../cli/api/channel.ts";
import type { Gateway } from "../../../cli/api/gateway.ts";
import { openLocalCarriage } from "../../../cli/api/local-carriage.ts";
import { openRelay } from "../../../cli/api/relay.ts";
import { RpcError } from "../../../cli/api/rpc-error.ts";
import type { TcpForwardFrameSchema } from "../../../gen/openshell/v1/access_pb.ts";
import { apiSocketPath } from "../../../locations/runtime-directory.ts";
import { startTestGateway, type TestGateway } from "../../test-support/test-gateway.ts";

const tcp = { case: "tcp", value: { host: "127.0.0.1", port: 80 } } as const;

type Frame = MessageInitShape<typeof TcpForwardFrameSchema>;

describe("byte streams into a sandbox", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway();
  });
  after(async () => {
    await gateway[Symbol.asyncDispose]();
  });

  async function sandbox(name: string): Promise<string> {
    const { sandbox: created } = await gateway.client.createSandbox({ name });
    return created?.metadata?.id ?? "";
  }

  /** The gateway as the command line has it. */
  async function connected(): Promise<Gateway> {
    const carriage = await openLocalCarriage(apiSocketPath(join(gateway.directory, "run")));
    return { channel: new Channel(carriage), endpoint: gateway.endpoint, isLocal: true, reconnect: connected };
  }

  /** All that a plain call of a published client answers. */
  async function forwarded(frames: AsyncIterable<Frame>): Promise<string> {
    let answer = "";
    for await (const { payload } of gateway.client.forwardTcp(frames)) {
      if (payload.case === "data") answer += Buffer.from(payload.value).toString();
    }
    return answer;
  }

  async function* said(init: Frame["payload"], ...texts: string[]): AsyncGenerator<Frame> {
    yield { payload: init } as Frame;
    for (const text of texts) yield { payload: { case: "data", value: Buffer.from(text) } };
  }

  it("go on at the byte through any number of gateways", async () => {
    const target = { kind: "tcp", host: "localhost", port: 80 } as const;
    const stream = openRelay(await connected(), { sandboxId: await sandbox("steady"), target });
    const [sent, received] = [createHash("sha256"), createHash("sha256")];
    let isOver = false;
    const writing = (async () => {
      while (!isOver) {
        const chunk = randomBytes(20_000);
        sent.update(chunk);
        if (!stream.write(chunk)) await once(stream, "drain");
        else await delay(1);
      }
      stream.end();
    })();
    stream.on("data", (chunk: Buffer) => received.update(chunk));
    const ended = once(stream, "end");
    for (let restarts = 0; restarts < 3; restarts++) {
      await once(stream, "data");
      await gateway.restart();
    }
    isOver = true;
    await Promise.all([writing, ended]);
    assert.equal(received.digest("hex"), sent.digest("hex"));
  });

  it("are the client's that opened them, and nobody else's", async () => {
    const sandboxId = await sandbox("mine");
    const relay = { relayId: "shared", secret: Buffer.from("a".repeat(32)), isKnown: false };
    const target = tcp;
    const claim = (claimed: object) =>
      said({ case: "init", value: { sandboxId, target, relay: { ...relay, ...claimed } } });
    const ending = new AbortController();
    const first = gateway.client.forwardTcp(claim({}), { signal: ending.signal })[Symbol.asyncIterator]();
    await first.next();
    assert.match(await forwarded(claim({ secret: Buffer.from("b".repeat(32)) })), /the relay is another client's/);
    ending.abort();
    await first.next().catch(() => {});
  });

  it("are a sandbox's own: no other knows them", async () => {
    const relay = { relayId: "elsewhere", secret: Buffer.from("c".repeat(32)), isKnown: true };
    const init = { sandboxId: await sandbox("other"), target: tcp, relay };
    assert.match(await forwarded(said({ case: "init", value: init })), /the sandbox has started anew/);
  });

  it("carry a published client's bytes as they are", async () => {
    const init = { sandboxId: await sandbox("plain"), target: tcp };
    assert.equal(await forwarded(said({ case: "init", value: init }, "there ", "and back")), "there and back");
  });

  it("are answered before they have bytes to carry, since the published CLI sends none before", {
    timeout: 30_000,
  }, async () => {
    const answered = Promise.withResolvers<void>();
    const init = { sandboxId: await sandbox("silent"), target: tcp };
    async function* frames(): AsyncGenerator<Frame> {
      yield { payload: { case: "init", value: init } } as Frame;
      await answered.promise;
      yield { payload: { case: "data", value: Buffer.from("hello") } };
    }
    let answer = "";
    for await (const { payload } of gateway.client.forwardTcp(frames(), { onHeader: () => answered.resolve() })) {
      if (payload.case === "data") answer += Buffer.from(payload.value).toString();
    }
    assert.equal(answer, "hello");
  });

  for (const [what, init] of [
    ["a port that there is not", { target: { case: "tcp", value: { host: "localhost", port: 0 } } }],
    ["nothing", {}],
    ["a relay without a secret", { target: { case: "ssh", value: {} }, relay: { relayId: "x" } }],
  ] as const) {
    it(`lead not to ${what}`, async () => {
      const frames = said({ case: "init", value: { sandboxId: "plain", ...init } as never });
      await assert.rejects(forwarded(frames), (error) => ConnectError.from(error).code === Code.InvalidArgument);
    });
  }

  it("are not opened with a token that no session has", async () => {
    const init = { sandboxId: "plain", target: { case: "ssh", value: {} }, authorizationToken: "guess" } as const;
    const frames = said({ case: "init", value: init });
    await assert.rejects(forwarded(frames), (error) => ConnectError.from(error).code === Code.Unauthenticated);
  });

  it("lead to SSH with the token of a session, until that is revoked", async () => {
    const sandboxId = await sandbox("shell");
    const target = { case: "ssh", value: {} } as const;
    await assert.rejects(
      forwarded(said({ case: "init", value: { sandboxId, target } })),
      (error) => ConnectError.from(error).code === Code.Unauthenticated,
    );
    const { token } = await gateway.client.createSshSession({ sandboxId });
    const init = { sandboxId, target, authorizationToken: token };
    assert.equal(await forwarded(said({ case: "init", value: init }, "hello")), "hello");
    const relay = openRelay(await connected(), { sandboxId, target: { kind: "ssh" }, authorizationToken: token });
    relay.on("error", () => {}).write("hello");
    await once(relay, "data");
    const closed = new Promise((resolve) => relay.once("close", resolve));
    await gateway.client.revokeSshSession({ token });
    await closed;
    const { sessions } = await gateway.client.listSshSessions({ sandboxId });
    assert.deepEqual(
      sessions.map(({ revoked, token }) => [revoked, token]),
      [[true, ""]],
    );
  });

  it("end with the gateway's word when there is no such sandbox", async () => {
    const stream = openRelay(await connected(), { sandboxId: "nowhere", target: { kind: "ssh" } });
    const [error] = await once(stream, "error");
    assert.ok(error instanceof RpcError);
    assert.equal(error.code, "not_found");
  });
});
