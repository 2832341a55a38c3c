import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Provider } from "../../../gen/openshell/datamodel/v1/datamodel_pb.ts";
import type { ProviderProfile } from "../../../gen/openshell/v1/provider_pb.ts";
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
