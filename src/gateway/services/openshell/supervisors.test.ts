import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { OpenShell } from "../../../gen/openshell/v1/openshell_pb.ts";
import type { RelayFrameSchema, SupervisorMessageSchema } from "../../../gen/openshell/v1/supervisor_pb.ts";
import { exitFrame, streamHeader } from "../../../net/exec-frames.ts";
import { MessageQueue } from "../../supervisors/message-queue.ts";
import { issueToken } from "../../supervisors/token.ts";
import { startTestGateway, type TestGateway } from "../../test-support/test-gateway.ts";

const isDenied = (error: unknown) => error instanceof ConnectError && error.code === Code.PermissionDenied;

describe("a supervisor that dials over the network", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway();
  });
  after(async () => {
    await gateway[Symbol.asyncDispose]();
  });

  /** A client with a sandbox's token instead of a certificate. */
  function clientWith(token: string): Client<typeof OpenShell> {
    const ca = readFileSync(join(gateway.directory, "config", "gateways", "test", "mtls", "ca.crt"), "utf8");
    const bearer: Interceptor = (next) => (request) => {
      request.header.set("authorization", `Bearer ${token}`);
      return next(request);
    };
    const options = { baseUrl: gateway.endpoint, nodeOptions: { ca }, interceptors: [bearer] };
    return createClient(OpenShell, createGrpcTransport(options));
  }

  /** A sandbox whose token the test knows: the real one is known to its supervisor alone. */
  async function sandboxWithToken(name: string) {
    const { sandbox } = await gateway.client.createSandbox({ name });
    const id = sandbox?.metadata?.id ?? "";
    for await (const _ of gateway.client.execSandbox({ sandboxId: id, command: ["true"] }));
    const { token, hash } = issueToken();
    const state = new DatabaseSync(join(gateway.directory, "state", "state.db"));
    state.prepare("UPDATE sandboxes SET token_hash = ? WHERE id = ?").run(hash, id);
    const instanceId = JSON.parse(
      String(state.prepare("SELECT supervisor FROM sandboxes WHERE id = ?").get(id)?.["supervisor"]),
    ).instanceId;
    state.close();
    return { id, token, instanceId };
  }

  it("may do what is a supervisor's, for its own sandbox alone", async () => {
    const mine = await sandboxWithToken("mine");
    const other = await sandboxWithToken("other");
    const client = clientWith(mine.token);
    await client.reportMainProcessExit({ sandboxId: mine.id, instanceId: mine.instanceId, exitCode: 5 });
    assert.equal((await gateway.client.getSandbox({ name: "mine" })).sandbox?.status?.exitCode, 5);
    await assert.rejects(client.reportMainProcessExit({ sandboxId: other.id, instanceId: other.instanceId }), isDenied);
    await assert.rejects(client.reportPolicyStatus({ sandboxId: other.id, version: 1 }), isDenied);
    await assert.rejects(client.listSandboxes({}), isDenied);
    await assert.rejects(clientWith("wrong").reportPolicyStatus({ sandboxId: mine.id }), isDenied);
  });

  it("runs a command over RelayStream", async () => {
    const { id: sandboxId, token, instanceId } = await sandboxWithToken("remote");
    const client = clientWith(token);
    const ending = new AbortController();
    const toGateway = new MessageQueue<MessageInitShape<typeof SupervisorMessageSchema>>([ending.signal]);
    toGateway.push({ payload: { case: "hello", value: { sandboxId, instanceId } } });
    const session = client.connectSupervisor(toGateway)[Symbol.asyncIterator]();
    const accepted = await session.next();
    assert.equal(accepted.value?.payload.case, "sessionAccepted");
    const routes = await session.next();
    assert.equal(routes.value?.payload.case, "modelRoutes");
    const credentials = await session.next();
    assert.equal(credentials.value?.payload.case, "applyCredentials");

    const ran = (async () => {
      let output = "";
      for await (const { payload } of gateway.client.execSandbox({ sandboxId, command: ["anything"] })) {
        if (payload.case === "stdout") output += Buffer.from(payload.value.data).toString();
        if (payload.case === "exit") return { output, exitCode: payload.value.exitCode };
      }
      return undefined;
    })();
    const { value: opened } = await session.next();
    assert.ok(opened?.payload.case === "relayOpen");
    const { channelId } = opened.payload.value;
    async function* frames(): AsyncGenerator<MessageInitShape<typeof RelayFrameSchema>> {
      yield { payload: { case: "init", value: { channelId } } };
      const said = Buffer.from("from afar");
      yield { payload: { case: "data", value: Buffer.concat([streamHeader("stdout", said.length), said]) } };
      yield { payload: { case: "data", value: exitFrame(9) } };
    }
    for await (const _ of client.relayStream(frames()));
    assert.deepEqual(await ran, { output: "from afar", exitCode: 9 });
    toGateway.end();
    ending.abort();
  });
});
