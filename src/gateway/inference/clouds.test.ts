/** Routes to clouds as operators set them: what each needs to be told, and how it is asked. */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { ProviderSchema } from "../../gen/openshell/datamodel/v1/datamodel_pb.ts";
import { BedrockBackend } from "../../inference/test-support/bedrock-backend.ts";
import { startTestGateway, type TestGateway } from "../test-support/test-gateway.ts";

function refusedWith(words: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof ConnectError && error.code === Code.FailedPrecondition && words.test(error.message);
}

describe("a route to a cloud", () => {
  let gateway: TestGateway;
  let server: Server;
  let baseUrl = "";
  const bedrock = new BedrockBackend();

  before(async () => {
    server = createServer(bedrock.listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    gateway = await startTestGateway();
  });
  after(async () => {
    await gateway[Symbol.asyncDispose]();
    server.close();
  });

  const provide = (name: string, provider: Omit<MessageInitShape<typeof ProviderSchema>, "metadata" | "$typeName">) =>
    gateway.client.createProvider({ provider: { ...provider, metadata: { name } } });
  const route = (providerName: string, modelId: string, noVerify = false) =>
    gateway.inference.setInferenceRoute({ providerName, modelId, routeName: providerName, noVerify });
  const keys = { AWS_ACCESS_KEY_ID: "AKIATEST", AWS_SECRET_ACCESS_KEY: "aws-canary" };
  const claude = "eu.anthropic.claude-sonnet-v1:0";

  it("of AWS's is tried with a signed request", async () => {
    const config = { AWS_REGION: "eu-west-1", BEDROCK_BASE_URL: baseUrl };
    await provide("signed", { type: "aws-bedrock", credentials: keys, config });
    const set = await route("signed", claude);
    assert.equal(set.validatedEndpoints[0]?.url, `${baseUrl}/model/eu.anthropic.claude-sonnet-v1%3A0/invoke`);
    const { authorization = "" } = bedrock.calls.at(-1)?.headers ?? {};
    assert.match(authorization, /^AWS4-HMAC-SHA256 Credential=AKIATEST\/\d{8}\/eu-west-1\/bedrock\/aws4_request/);
    assert.ok(!gateway.log.join("\n").includes("canary"));
    // There is no request that every other model of it would take.
    assert.equal((await route("signed", "meta.llama3-70b-instruct-v1:0")).validationPerformed, false);
  });

  it("of AWS's needs a region, and keys unless a bridge has them", async () => {
    await provide("bridge", { type: "aws-bedrock", config: { BEDROCK_BASE_URL: baseUrl } });
    await assert.rejects(route("bridge", claude), refusedWith(/refuses the provider's credential with 403/));
    await route("bridge", claude, true);
    await provide("keyless", { type: "aws-bedrock", config: { AWS_REGION: "eu-west-1" } });
    await assert.rejects(route("keyless", claude, true), refusedWith(/no credential.*AWS_BEARER_TOKEN_BEDROCK/));
    await provide("nowhere", { type: "aws-bedrock", credentials: keys, config: { AWS_REGION: "Europe" } });
    await assert.rejects(route("nowhere", claude, true), refusedWith(/where its models are.*AWS_REGION/));
  });

  it("of Google's needs a project and a token, and takes no other credential for one", async () => {
    await provide("unset", { type: "google-vertex-ai", credentials: { GOOGLE_VERTEX_AI_TOKEN: "t" } });
    await assert.rejects(route("unset", "claude-sonnet", true), refusedWith(/VERTEX_AI_PROJECT_ID/));
    const config = { VERTEX_AI_PROJECT_ID: "my-project" };
    await provide("raw", { type: "google-vertex-ai", credentials: { GOOGLE_SERVICE_ACCOUNT_KEY: "{}" }, config });
    await assert.rejects(route("raw", "claude-sonnet", true), refusedWith(/no credential/));
    await gateway.client.updateProvider({ provider: { metadata: { name: "unset" }, config } });
    await route("unset", "claude-sonnet", true);
  });
});
