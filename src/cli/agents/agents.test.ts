import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import type { Provider } from "../../gen/openshell/datamodel/v1/datamodel_pb.ts";
import { ListInferenceRoutesResponseSchema } from "../../gen/openshell/inference/v1/inference_pb.ts";
import { ExecSandboxEventSchema } from "../../gen/openshell/v1/exec_pb.ts";
import { type CreateSandboxRequest, SandboxSchema } from "../../gen/openshell/v1/sandbox_pb.ts";
import { writeActiveGateway, writeGatewayEntry } from "../../locations/gateway-entry.ts";
import { fakeCommands } from "../test-support/fake-commands.ts";
import { type FakeGateway, fakeGateway } from "../test-support/fake-gateway.ts";
import { CommandRunner, type Ran } from "../test-support/run-command.ts";
import { NO_KEY } from "./agent.ts";
import { agentOf, knownAgents } from "./known-agents.ts";

describe("a known agent", () => {
  for (const agent of knownAgents) {
    it(`${agent.command} gets settings that can be read, whatever the model is called`, () => {
      const model = 'org/"odd" \\ model';
      for (const source of [
        { kind: "inference", model } as const,
        { kind: "provider", type: agent.providerTypes[0] ?? "", baseUrl: "https://models.example.com/v1" } as const,
      ]) {
        const { environment, files = {} } = agent.setup(source);
        for (const [path, text] of Object.entries(files)) {
          if (path.endsWith(".json")) assert.equal(typeof JSON.parse(text), "object");
          assert.ok(text.endsWith("\n"));
        }
        assert.ok(Object.keys(environment).every((name) => /^[A-Z_]+$/.test(name)));
      }
    });
  }

  it("is known by its bare command alone", () => {
    assert.equal(agentOf(["claude", "-p", "hi"])?.package, "@anthropic-ai/claude-code");
    assert.equal(agentOf(["/opt/claude"]), undefined);
    assert.equal(agentOf(["sh", "-c", "claude"]), undefined);
    assert.equal(agentOf([]), undefined);
  });
});

interface Story {
  readonly providers?: readonly { readonly name: string; readonly type: string }[];
  readonly models?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A gateway elsewhere, on which the agents are installed already. */
async function tell(story: Story, ...typed: string[]): Promise<{ ran: Ran; made: CreateSandboxRequest[] }> {
  const made: CreateSandboxRequest[] = [];
  const providers = (story.providers ?? []).map(({ name, type }) => ({ metadata: { name }, type, credentials: {} }));
  await using gateway = await fakeGateway(
    {
      listProviders: () => ({ providers }),
      getProviderProfile: ({ id }) => ({ profile: { id, credentials: [{ envVars: ["ANTHROPIC_API_KEY"] }] } }),
      createProvider: ({ provider }) => ({ provider: provider as Provider }),
      createSandbox: (request) => {
        made.push(request);
        return { sandbox: create(SandboxSchema, { metadata: { id: "id-1", name: "brave-otter" } }) };
      },
      ...fakeCommands(async function* () {
        const data = Buffer.from("/usr/bin/agent\n\n\n");
        yield create(ExecSandboxEventSchema, { payload: { case: "stdout", value: { data } } });
        yield create(ExecSandboxEventSchema, { payload: { case: "exit", value: { exitCode: 0 } } });
      }),
    },
    {
      listInferenceRoutes: () =>
        create(ListInferenceRoutesResponseSchema, {
          routes: (story.models ?? []).map((modelId) => ({ routeName: modelId, modelId })),
        }),
    },
  );
  using runner = new CommandRunner();
  register(runner, gateway);
  Object.assign(runner.environment, story.environment);
  return { ran: await runner.run("sandbox", "create", ...typed), made };
}

function register(runner: CommandRunner, gateway: FakeGateway): void {
  const directory = join(runner.home, "config", "openshell");
  writeGatewayEntry(directory, { name: "fake", gateway_endpoint: gateway.endpoint, is_remote: true, gateway_port: 1 });
  writeActiveGateway(directory, "fake");
}

describe("which model an agent asks", () => {
  const anthropic = { name: "mine", type: "anthropic" };

  it("the operator's, where there is a route: a key that is none goes along", async () => {
    const { ran, made } = await tell({ models: ["gpt-served"], providers: [anthropic] }, "--", "claude");
    assert.equal(ran.exitCode, 0, ran.stderr);
    assert.equal(made[0]?.spec?.environment["ANTHROPIC_BASE_URL"], "https://inference.local");
    assert.equal(made[0]?.spec?.environment["ANTHROPIC_AUTH_TOKEN"], NO_KEY);
    assert.deepEqual(made[0]?.spec?.providers, []);
    assert.deepEqual(Object.keys(made[0]?.spec?.policy?.networkPolicies ?? {}), ["preset_git_read_only"]);
  });

  it("its own, with the provider that fits best, where there is none", async () => {
    const providers = [anthropic, { name: "code", type: "claude-code" }, { name: "other", type: "github" }];
    const { ran, made } = await tell({ providers }, "--", "claude");
    assert.match(ran.stderr, /uses the claude-code provider "code", with a placeholder for its key/);
    assert.deepEqual(made[0]?.spec?.providers, ["code"]);
    assert.equal(made[0]?.spec?.environment["ANTHROPIC_BASE_URL"], undefined);
  });

  it("what the user says goes before: a provider by its name, a variable, no provider at all", async () => {
    const story = { models: ["gpt-served"], providers: [anthropic] };
    const named = await tell(story, "--provider", "mine", "--", "claude");
    assert.deepEqual(named.made[0]?.spec?.providers, ["mine"]);
    assert.equal(named.made[0]?.spec?.environment["ANTHROPIC_BASE_URL"], undefined);

    const set = await tell(story, "--env", "ANTHROPIC_BASE_URL=https://models.example.com", "--", "claude");
    assert.deepEqual(set.made[0]?.spec?.environment, { ANTHROPIC_BASE_URL: "https://models.example.com" });

    const none = await tell({ providers: [anthropic] }, "--no-auto-providers", "--", "claude");
    assert.equal(none.ran.exitCode, 0);
    assert.deepEqual(none.made[0]?.spec?.providers, []);
  });

  it("no key of the environment is sent to a gateway elsewhere unasked", async () => {
    const environment = { ANTHROPIC_API_KEY: "sk-ant-canary" };
    const refused = await tell({ environment }, "--", "claude");
    assert.equal(refused.ran.exitCode, 1);
    assert.match(refused.ran.stderr, /there is no model for claude to ask/);
    assert.deepEqual(refused.made, []);

    const asked = await tell({ environment }, "--auto-providers", "--", "claude");
    assert.match(asked.ran.stderr, /keeps ANTHROPIC_API_KEY of this environment, encrypted, as the provider/);
    assert.doesNotMatch(asked.ran.stderr, /canary/);
    assert.deepEqual(asked.made[0]?.spec?.providers, ["claude-code"]);
  });

  it("gemini does not speak inference.local's dialects, and is not pointed there", async () => {
    const { ran, made } = await tell({ models: ["gpt-served"] }, "--", "gemini");
    assert.equal(ran.exitCode, 1);
    assert.doesNotMatch(ran.stderr, /inference set/);
    assert.deepEqual(made, []);
  });
});
