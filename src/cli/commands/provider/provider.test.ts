import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Provider } from "../../../gen/openshell/datamodel/v1/datamodel_pb.ts";
import {
  type ConfigureProviderRefreshRequest,
  ProviderCredentialRefreshStrategy,
  type ProviderProfile,
} from "../../../gen/openshell/v1/provider_pb.ts";
import { fakeGateway } from "../../test-support/fake-gateway.ts";
import { CommandRunner } from "../../test-support/run-command.ts";

const canary = "canary-41c2";

describe("openshell provider", () => {
  async function gatewayThatKeeps(kept: Provider[]) {
    return fakeGateway({
      createProvider({ provider }) {
        if (provider !== undefined) kept.push(provider);
        return { provider: { ...provider, credentials: { GITHUB_TOKEN: "[redacted]" } } as Provider };
      },
      getProviderProfile: () => ({
        profile: { id: "github", credentials: [{ envVars: ["GH_TOKEN", "GITHUB_TOKEN"] }] },
      }),
    });
  }

  it("takes a credential from the environment, standard input or the command line, and prints none", async () => {
    using runner = new CommandRunner();
    const kept: Provider[] = [];
    await using gateway = await gatewayThatKeeps(kept);
    runner.environment["OPENSHELL_GATEWAY_ENDPOINT"] = gateway.endpoint;
    const create = ["provider", "create", "--type", "github"];
    runner.environment["GITHUB_TOKEN"] = canary;
    const fromEnvironment = await runner.run(...create, "--credential", "GITHUB_TOKEN", "-o", "json");
    const existing = await runner.run(...create, "--from-existing");
    delete runner.environment["GITHUB_TOKEN"];
    const typed = await runner.run(...create, "--credential", `GITHUB_TOKEN=${canary}`);
    runner.stdin.end(`${canary}\n`);
    const piped = await runner.run(...create, "--credential", "GITHUB_TOKEN");
    for (const ran of [fromEnvironment, existing, typed, piped]) {
      assert.equal(ran.exitCode, 0, ran.stderr);
      assert.equal((ran.stdout + ran.stderr).includes(canary), false);
    }
    assert.match(typed.stderr, /GITHUB_TOKEN is on the command line/);
    assert.deepEqual(
      kept.map(({ credentials }) => credentials),
      Array.from({ length: 4 }, () => ({ GITHUB_TOKEN: canary })),
    );
    assert.deepEqual(JSON.parse(fromEnvironment.stdout).credential_keys, ["GITHUB_TOKEN"]);
  });

  it("takes settings along with existing credentials, and only those credentials that the type is discovered by", async () => {
    using runner = new CommandRunner();
    const kept: Provider[] = [];
    await using gateway = await fakeGateway({
      createProvider({ provider }) {
        if (provider !== undefined) kept.push(provider);
        return provider === undefined ? {} : { provider: { ...provider, credentials: {} } };
      },
      getProviderProfile: () => ({
        profile: {
          id: "models",
          credentials: [
            { name: "key", envVars: ["MODELS_KEY"] },
            { name: "admin", envVars: ["MODELS_ADMIN_KEY"] },
          ],
          discovery: { credentials: ["key"], config: ["MODELS_BASE_URL"] },
          endpoints: [{ host: "api.{MODELS_REGION}.example.com" }],
        },
      }),
    });
    runner.environment["OPENSHELL_GATEWAY_ENDPOINT"] = gateway.endpoint;
    runner.environment["MODELS_KEY"] = canary;
    runner.environment["MODELS_ADMIN_KEY"] = canary;
    runner.environment["MODELS_BASE_URL"] = "https://models.example.com/v1";
    runner.environment["MODELS_REGION"] = "eu";
    const create = ["provider", "create", "--type", "models", "--from-existing"];
    const { stderr } = await runner.run(...create);
    await runner.run(...create, "--config", "MODELS_REGION=us");
    assert.match(stderr, /takes the setting MODELS_BASE_URL of this environment/);
    assert.deepEqual(
      kept.map(({ credentials, config }) => ({ credentials, config })),
      ["eu", "us"].map((region) => ({
        credentials: { MODELS_KEY: canary },
        config: { MODELS_BASE_URL: "https://models.example.com/v1", MODELS_REGION: region },
      })),
    );
  });

  it("says what is missing", async () => {
    using runner = new CommandRunner();
    await using gateway = await gatewayThatKeeps([]);
    runner.environment["OPENSHELL_GATEWAY_ENDPOINT"] = gateway.endpoint;
    assert.match((await runner.run("provider", "create")).stderr, /--type is missing/);
    const existing = await runner.run("provider", "create", "--type", "github", "--from-existing");
    assert.match(existing.stderr, /looked for GH_TOKEN, GITHUB_TOKEN/);
    runner.stdin.end("");
    const empty = await runner.run("provider", "create", "--type", "github", "--credential", "GITHUB_TOKEN");
    assert.match(empty.stderr, /no value for GITHUB_TOKEN/);
  });

  it("renews Google's tokens with this machine's own credentials, and leaves nothing behind where that fails", async () => {
    using runner = new CommandRunner();
    const asked: ConfigureProviderRefreshRequest[] = [];
    const deleted: string[] = [];
    let status = "ok";
    const strategy = ProviderCredentialRefreshStrategy.OAUTH2_REFRESH_TOKEN;
    await using gateway = await fakeGateway({
      createProvider: ({ provider }) => (provider === undefined ? {} : { provider }),
      getProviderProfile: () => ({
        profile: {
          id: "google-vertex-ai",
          credentials: [{ envVars: ["GOOGLE_VERTEX_AI_TOKEN"], refresh: { strategy } }],
        },
      }),
      configureProviderRefresh: (request) => {
        asked.push(request);
        return { status: { status, lastError: "revoked" } };
      },
      deleteProvider: ({ name }) => {
        deleted.push(name);
        return { deleted: true };
      },
    });
    runner.environment["OPENSHELL_GATEWAY_ENDPOINT"] = gateway.endpoint;
    runner.environment["CLOUDSDK_CONFIG"] = runner.home;
    const create = ["provider", "create", "vertex", "--type", "google-vertex-ai", "--from-gcloud-adc"];
    assert.match((await runner.run(...create)).stderr, /can't be read.*gcloud auth application-default login/s);
    const file = { type: "authorized_user", client_id: "id", client_secret: canary, refresh_token: `${canary}-2` };
    const path = join(runner.home, "application_default_credentials.json");
    writeFileSync(path, JSON.stringify(file));
    const created = await runner.run(...create);
    assert.equal(created.exitCode, 0, created.stderr);
    assert.deepEqual(asked[0]?.material, { client_id: "id", client_secret: canary, refresh_token: `${canary}-2` });
    assert.deepEqual(
      [asked[0]?.provider, asked[0]?.credentialKey, asked[0]?.secretMaterialKeys],
      ["vertex", "GOOGLE_VERTEX_AI_TOKEN", ["client_secret", "refresh_token"]],
    );
    status = "failing";
    const failed = await runner.run(...create);
    assert.match(failed.stderr, /no access token could be fetched: revoked/);
    assert.deepEqual(deleted, ["vertex"]);
    writeFileSync(path, JSON.stringify({ ...file, type: "external_account" }));
    const external = await runner.run(...create);
    assert.match(external.stderr, /"external_account", which the gateway can't renew/);
    for (const ran of [created, failed, external]) assert.ok(!(ran.stdout + ran.stderr).includes(canary));
  });

  it("is created without credentials only where the gateway can get them, and where that is meant", async () => {
    using runner = new CommandRunner();
    let refresh: object | undefined = { strategy: ProviderCredentialRefreshStrategy.AWS_STS_ASSUME_ROLE };
    await using gateway = await fakeGateway({
      createProvider: ({ provider }) => (provider === undefined ? {} : { provider }),
      getProviderProfile: () => ({
        profile: {
          id: "aws",
          credentials: [{ envVars: ["AWS_ACCESS_KEY_ID"], required: true, ...(refresh && { refresh }) }],
        },
      }),
    });
    runner.environment["OPENSHELL_GATEWAY_ENDPOINT"] = gateway.endpoint;
    const create = ["provider", "create", "--type", "aws"];
    assert.match((await runner.run(...create)).stderr, /needs a credential AWS_ACCESS_KEY_ID.*--runtime-credentials/s);
    assert.equal((await runner.run(...create, "--runtime-credentials")).exitCode, 0);
    const both = await runner.run(...create, "--runtime-credentials", "--from-existing");
    assert.match(both.stderr, /exclude each other/);
    refresh = undefined;
    assert.match((await runner.run(...create, "--runtime-credentials")).stderr, /can't get the credentials/);
  });

  it("imports a profile that is written like a policy, and shows it in the same form", async () => {
    using runner = new CommandRunner();
    let imported: ProviderProfile | undefined;
    await using gateway = await fakeGateway({
      importProviderProfiles({ profiles: [item] }) {
        imported = item?.profile;
        return { imported: true, profiles: imported ? [imported] : [] };
      },
      getProviderProfile: () => (imported ? { profile: imported } : {}),
    });
    runner.environment["OPENSHELL_GATEWAY_ENDPOINT"] = gateway.endpoint;
    const file = join(runner.home, "tickets.yaml");
    writeFileSync(
      file,
      `id: tickets
category: source_control
credentials:
  - { name: token, env_vars: [TICKETS_TOKEN], auth_style: bearer }
endpoints:
  - host: tickets.example.invalid
    port: 443
    protocol: rest
    rules:
      - allow: { method: GET, path: /api/**, query: { page: "[0-9]*" } }
binaries:
  - path: any
`,
    );
    assert.equal((await runner.run("provider", "profile", "import", "-f", file)).stdout, "tickets\n");
    assert.deepEqual(imported?.endpoints[0]?.ports, [443]);
    assert.equal(imported?.endpoints[0]?.rules[0]?.allow?.query["page"]?.glob, "[0-9]*");
    const shown = await runner.run("provider", "profile", "export", "tickets");
    assert.match(shown.stdout, /category: source_control/);
    writeFileSync(file, shown.stdout);
    assert.equal((await runner.run("provider", "profile", "import", "-f", file)).exitCode, 0);
    assert.equal((await runner.run("provider", "profile", "export", "tickets")).stdout, shown.stdout);
    writeFileSync(file, "id: tickets\nnonsense: 1\n");
    assert.match((await runner.run("provider", "profile", "lint", "-f", file)).stderr, /not a provider profile/);
  });
});
