import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Inference } from "../../../gen/openshell/inference/v1/inference_pb.ts";
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
  const clientWith = (token: string): Client<typeof OpenShell> => createClient(OpenShell, transportWith(token));

  function transportWith(token: string): Transport {
    const ca = readFileSync(join(gateway.directory, "config", "gateways", "test", "mtls", "ca.crt"), "utf8");
    const bearer: Interceptor = (next) => (request) => {
      request.header.set("authorization", `Bearer ${token}`);
      return next(request);
    };
    const options = { baseUrl: gateway.endpoint, nodeOptions: { ca }, interceptors: [bearer] };
    return createGrpcTransport(options);
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

  it("is told the credentials and routes of its own sandbox, and nobody else is", async () => {
    const profile = {
      id: "tickets",
      credentials: [{ name: "token", envVars: ["TICKETS_TOKEN"] }],
      endpoints: [{ host: "tickets.example.com", port: 443, protocol: "rest", access: "full", path: "/api/**" }],
      binaries: [{ path: "any" }],
    };
    await gateway.client.importProviderProfiles({ profiles: [{ profile }] });
    const credentials = { TICKETS_TOKEN: "canary-tickets" };
    const provider = { metadata: { name: "tickets" }, type: "tickets", credentials, config: { TICKETS_AREA: "eu" } };
    await gateway.client.createProvider({ provider });
    const mine = await sandboxWithToken("teller");
    const other = await sandboxWithToken("listener");
    await gateway.client.attachSandboxProvider({ sandboxName: "teller", providerName: "tickets" });
    const request = { sandboxId: mine.id, supportsStaticCredentialBindings: true };
    const told = await clientWith(mine.token).getSandboxProviderEnvironment(request);
    assert.deepEqual(told.environment, { TICKETS_AREA: "eu", ...credentials });
    assert.deepEqual(told.nonSecretEnvironmentKeys, ["TICKETS_AREA"]);
    const endpoints = told.staticCredentialBindings["TICKETS_TOKEN"]?.endpoints ?? [];
    assert.deepEqual(
      endpoints.map(({ host, port, path }) => ({ host, port, path })),
      [{ host: "tickets.example.com", port: 443, path: "/api/**" }],
    );
    const unable = await clientWith(mine.token).getSandboxProviderEnvironment({ sandboxId: mine.id });
    assert.deepEqual(unable.environment, { TICKETS_AREA: "eu" }, "a supervisor that knows no bindings gets no secret");
    for (const client of [clientWith(other.token), clientWith("wrong"), gateway.client]) {
      await assert.rejects(client.getSandboxProviderEnvironment(request), isDenied);
    }
  });

  it("is told the routes to models of its own workspace, and nobody else is", async () => {
    const { token } = await sandboxWithToken("asker");
    const provider = { metadata: { name: "models" }, type: "openai", credentials: { OPENAI_API_KEY: "canary-models" } };
    await gateway.client.createProvider({ provider });
    await gateway.inference.setInferenceRoute({ providerName: "models", modelId: "gpt-5", noVerify: true });
    const { routes } = await createClient(Inference, transportWith(token)).getInferenceBundle({});
    assert.deepEqual(
      routes.map(({ name, baseUrl, modelId, apiKey }) => [name, baseUrl, modelId, apiKey]),
      [["inference.local", "https://api.openai.com/v1", "gpt-5", "canary-models"]],
    );
    await assert.rejects(createClient(Inference, transportWith("wrong")).getInferenceBundle({}), isDenied);
    await assert.rejects(gateway.inference.getInferenceBundle({}), isDenied);
    assert.ok(!gateway.log.join("\n").includes("canary"));
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
