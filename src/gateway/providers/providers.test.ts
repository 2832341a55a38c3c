/** Providers as the gateway's clients see them, and as they lie on its disk. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { ProviderCredentialRefreshStrategy } from "../../gen/openshell/v1/provider_pb.ts";
import { startTestGateway, type TestGateway } from "../test-support/test-gateway.ts";

const canary = "canary-7f3a91c2";

function isCode(code: Code, words: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof ConnectError && error.code === code && words.test(error.rawMessage);
}

describe("a provider", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway();
  });
  after(() => gateway[Symbol.asyncDispose]());

  const provider = (name: string, credentials: Record<string, string>, config: Record<string, string> = {}) =>
    gateway.client.createProvider({ provider: { metadata: { name }, type: "github", credentials, config } });
  const rulesOf = async (name: string) => {
    const { revision } = await gateway.client.getSandboxPolicyStatus({ name });
    return revision?.policy?.networkPolicies ?? {};
  };

  it("is shown with the names of its credentials and never with a value", async () => {
    const { provider: made } = await provider("hidden", { GITHUB_TOKEN: canary });
    const { provider: shown } = await gateway.client.getProvider({ name: "hidden" });
    const { providers: listed } = await gateway.client.listProviders({});
    for (const each of [made, shown, listed.find(({ metadata }) => metadata?.name === "hidden")]) {
      assert.deepEqual(each?.credentials, { GITHUB_TOKEN: "[redacted]" });
    }
  });

  it("lies sealed on disk, and no error or log line repeats a value", async () => {
    await provider("sealed", { GITHUB_TOKEN: canary });
    await assert.rejects(
      provider("sealed", { GITHUB_TOKEN: canary }),
      (error: Error) => !error.message.includes(canary),
    );
    await assert.rejects(provider("x", { "NO NAME": canary }), (error: Error) => !error.message.includes(canary));
    await assert.rejects(provider("x", { A: `${canary}\0` }), (error: Error) => !error.message.includes(canary));
    for (const file of globSync("**/*", { cwd: gateway.directory, withFileTypes: true }).filter((each) =>
      each.isFile(),
    )) {
      assert.equal(readFileSync(join(file.parentPath, file.name)).includes(canary), false, file.name);
    }
    assert.equal(gateway.log.join("\n").includes(canary), false);
  });

  it("is there after the gateway was restarted, and after its key was replaced", async () => {
    await provider("lasting", { GITHUB_TOKEN: canary });
    await gateway.client.rotateSecretsKey({});
    await gateway.restart();
    await gateway.client.createSandbox({ name: "lasting", spec: { providers: ["lasting"] } });
    const { providers } = await gateway.client.listSandboxProviders({ sandboxName: "lasting" });
    assert.deepEqual(
      providers.map(({ metadata }) => metadata?.name),
      ["lasting"],
    );
  });

  it("needs what its profile needs, and a profile that there is", async () => {
    await assert.rejects(provider("bare", {}), isCode(Code.InvalidArgument, /GH_TOKEN or GITHUB_TOKEN/));
    const unknown = { metadata: { name: "what" }, type: "no-such-type" };
    await assert.rejects(gateway.client.createProvider({ provider: unknown }), isCode(Code.NotFound, /no-such-type/));
    const region = {
      metadata: { name: "s3" },
      type: "aws-s3",
      credentials: { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" },
    };
    await assert.rejects(
      gateway.client.createProvider({ provider: region }),
      isCode(Code.InvalidArgument, /AWS_REGION/),
    );
  });

  it("is changed where the update says so, and nowhere else", async () => {
    await provider("changing", { GITHUB_TOKEN: "one" }, { A: "1", B: "2" });
    const metadata = { name: "changing" };
    await gateway.client.updateProvider({
      provider: { metadata, credentials: { OTHER: "two" }, config: { A: "", C: "3" } },
    });
    const shownAgain = { GITHUB_TOKEN: "[redacted]", OTHER: "" };
    await gateway.client.updateProvider({ provider: { metadata, credentials: shownAgain } });
    const { provider: shown } = await gateway.client.getProvider({ name: "changing" });
    assert.deepEqual(Object.keys(shown?.credentials ?? {}), ["GITHUB_TOKEN"]);
    assert.deepEqual(shown?.config, { B: "2", C: "3" });
    assert.equal(shown?.metadata?.resourceVersion, 3n);
  });

  it("adds its rule to the policy of a sandbox, for as long as it is attached", async () => {
    await provider("rules", { GITHUB_TOKEN: "t" });
    await gateway.client.createSandbox({ name: "ruled" });
    const { attached } = await gateway.client.attachSandboxProvider({ sandboxName: "ruled", providerName: "rules" });
    assert.equal(attached, true);
    const rule = (await rulesOf("ruled"))["_provider_rules"];
    assert.equal(rule?.endpoints[0]?.host, "api.github.com");
    assert.equal(rule?.endpoints[0]?.credentialBinding?.provider, "rules");
    // Whoever sets a policy need not know of it, and can't leave it behind.
    await gateway.client.updateConfig({
      name: "ruled",
      policy: { version: 1, networkPolicies: { _provider_ghost: rule ?? {} } },
    });
    assert.deepEqual(Object.keys(await rulesOf("ruled")), ["_provider_rules"]);
    await assert.rejects(gateway.client.deleteProvider({ name: "rules" }), isCode(Code.FailedPrecondition, /ruled/));
    const detach = { sandboxName: "ruled", providerName: "rules" };
    assert.equal((await gateway.client.detachSandboxProvider(detach)).detached, true);
    assert.equal((await gateway.client.detachSandboxProvider(detach)).detached, false);
    assert.deepEqual(await rulesOf("ruled"), {});
    assert.equal((await gateway.client.deleteProvider({ name: "rules" })).deleted, true);
  });

  it("goes where its base URL says, and not to the usual place as well", async () => {
    await provider("moved", { GITHUB_TOKEN: "t" }, { GITHUB_BASE_URL: "https://git.example.invalid:8443/api" });
    await gateway.client.createSandbox({ name: "moved", spec: { providers: ["moved"] } });
    const endpoints = (await rulesOf("moved"))["_provider_moved"]?.endpoints ?? [];
    assert.deepEqual(
      endpoints.map(({ host, ports, path }) => ({ host, ports, path })),
      [{ host: "git.example.invalid", ports: [8443], path: "/api/**" }],
    );
  });

  it("is not attached where its base URL can't be a rule's, and nothing is kept of the attempt", async () => {
    await provider("inward", { GITHUB_TOKEN: "t" }, { GITHUB_BASE_URL: "http://127.0.0.1:9/v1" });
    await gateway.client.createSandbox({ name: "outward" });
    const attachment = { sandboxName: "outward", providerName: "inward" };
    await assert.rejects(
      gateway.client.attachSandboxProvider(attachment),
      isCode(Code.InvalidArgument, /never reachable from a sandbox/),
    );
    assert.deepEqual((await gateway.client.listSandboxProviders({ sandboxName: "outward" })).providers, []);
  });

  it("is not attached beside another that sets the same variable", async () => {
    await provider("twin-a", { GITHUB_TOKEN: "t" });
    await provider("twin-b", { GITHUB_TOKEN: "t" });
    const spec = { providers: ["twin-a", "twin-b"] };
    await assert.rejects(
      gateway.client.createSandbox({ spec }),
      isCode(Code.FailedPrecondition, /"twin-a" and "twin-b" both set GITHUB_TOKEN/),
    );
  });
});

describe("a profile of one's own", () => {
  it("is imported if it has no error, changed, and kept while a provider uses it", async () => {
    await using gateway = await startTestGateway();
    const { client } = gateway;
    const endpoint = {
      host: "tickets.example.invalid",
      port: 443,
      ports: [443],
      protocol: "rest",
      access: "read-only",
    };
    const credentials = [{ name: "token", envVars: ["TICKETS_TOKEN"], authStyle: "bearer" }];
    const profile = { id: "tickets", credentials, endpoints: [endpoint], binaries: [{ path: "any" }] };
    const wrong = { ...profile, id: "github", endpoints: [{ ...endpoint, host: "*" }] };
    const refused = await client.importProviderProfiles({ profiles: [{ profile: wrong, source: "wrong.yaml" }] });
    assert.equal(refused.imported, false);
    assert.deepEqual(
      refused.diagnostics.map(({ field, source }) => `${source} ${field}`),
      ["wrong.yaml id", "wrong.yaml endpoints.0.host"],
    );
    const refresh = {
      strategy: ProviderCredentialRefreshStrategy.EXTERNAL,
      refreshBeforeSeconds: -1n,
      additionalOutputs: [{ output: "session_token", credential: "token" }],
    };
    const [token] = credentials;
    const unable = {
      ...profile,
      credentials: [{ ...token, refresh, tokenGrant: { tokenEndpoint: "https://login.example.invalid" } }],
      discovery: { credentials: ["tokn"], config: ["not a name"] },
    };
    const { diagnostics } = await client.lintProviderProfiles({ profiles: [{ profile: unable }] });
    assert.deepEqual(
      diagnostics.map(({ field }) => field),
      [
        "credentials[0].token_grant",
        "credentials[0].refresh.refresh_before_seconds",
        "credentials[0].refresh.additional_outputs",
        "discovery.credentials",
        "discovery.config",
      ],
    );
    assert.equal((await client.importProviderProfiles({ profiles: [{ profile }] })).imported, true);
    const provider = { metadata: { name: "mine" }, type: "tickets", credentials: { TICKETS_TOKEN: "t" } };
    await client.createProvider({ provider });
    await client.createSandbox({ name: "ticketed", spec: { providers: ["mine"] } });
    const moved = { ...profile, endpoints: [{ ...endpoint, host: "new.example.invalid" }] };
    assert.equal((await client.updateProviderProfiles({ id: "tickets", profile: { profile: moved } })).updated, true);
    const { revision } = await client.getSandboxPolicyStatus({ name: "ticketed" });
    assert.equal(revision?.policy?.networkPolicies["_provider_mine"]?.endpoints[0]?.host, "new.example.invalid");
    await assert.rejects(client.deleteProviderProfile({ id: "tickets" }), isCode(Code.FailedPrecondition, /mine/));
    await assert.rejects(client.deleteProviderProfile({ id: "github" }), isCode(Code.FailedPrecondition, /built in/));
  });

  it("may be for all workspaces, where a workspace's own of that id does not come first", async () => {
    await using gateway = await startTestGateway();
    const { client } = gateway;
    const endpoints = (host: string) => [{ host, port: 443, protocol: "rest", access: "read-only" }];
    const profile = (host: string) => ({
      id: "wiki",
      displayName: "Wiki",
      endpoints: endpoints(host),
      binaries: [{ path: "any" }],
    });
    const importFor = (workspace: string, host: string) =>
      client.importProviderProfiles({ profiles: [{ profile: profile(host) }], workspace });
    await client.createWorkspace({ name: "web" });
    await importFor("", "all.example.invalid");
    const make = (name: string, profileWorkspace: string) =>
      client.createProvider({ provider: { metadata: { name }, type: "wiki", profileWorkspace }, workspace: "web" });
    await make("shared", "web");
    const typeOf = async () =>
      (await client.getProviderProfile({ id: "wiki", workspace: "web" })).profile?.endpoints[0]?.host;
    assert.equal(await typeOf(), "all.example.invalid");
    await assert.rejects(client.deleteProviderProfile({ id: "wiki" }), isCode(Code.FailedPrecondition, /shared/));
    await importFor("web", "own.example.invalid");
    assert.equal(await typeOf(), "own.example.invalid");
    const { provider } = await make("global", "*");
    assert.equal(provider?.profileWorkspace, "*");
    await client.createSandbox({ name: "reader", spec: { providers: ["shared", "global"] }, workspace: "web" });
    const { revision } = await client.getSandboxPolicyStatus({ name: "reader", workspace: "web" });
    const hostOf = (name: string) => revision?.policy?.networkPolicies[`_provider_${name}`]?.endpoints[0]?.host;
    assert.deepEqual([hostOf("shared"), hostOf("global")], ["own.example.invalid", "all.example.invalid"]);
    const { profiles } = await client.listProviderProfiles({ workspace: "web" });
    assert.equal(profiles.filter(({ id }) => id === "wiki").length, 1);
    await assert.rejects(client.deleteProviderProfile({ id: "wiki" }), isCode(Code.FailedPrecondition, /global/));
  });
});
