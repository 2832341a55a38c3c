/** Settings of a gateway and of one sandbox, as clients set and read them, and what follows. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { SettingScope } from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { startTestGateway, type TestGateway } from "../test-support/test-gateway.ts";

const string = (value: string) => ({ value: { case: "stringValue", value } }) as const;
const boolean = (value: boolean) => ({ value: { case: "boolValue", value } }) as const;

function isCode(code: Code, words: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof ConnectError && error.code === code && words.test(error.rawMessage);
}

describe("settings", () => {
  let gateway: TestGateway;
  let sandboxId = "";
  before(async () => {
    gateway = await startTestGateway();
    sandboxId = (await gateway.client.createSandbox({ name: "box" })).sandbox?.metadata?.id ?? "";
  });
  after(() => gateway[Symbol.asyncDispose]());

  const effective = async (key: string) => {
    const { settings } = await gateway.client.getSandboxConfig({ sandboxId });
    return [settings[key]?.value?.value.value, settings[key]?.scope];
  };

  it("have defaults, a value for all, and one for a sandbox, which goes before", async () => {
    const settingKey = "log_level";
    assert.deepEqual(await effective(settingKey), ["all", SettingScope.UNSPECIFIED]);
    await gateway.client.updateConfig({ global: true, settingKey, settingValue: string("low") });
    assert.deepEqual(await effective(settingKey), ["low", SettingScope.GLOBAL]);
    await gateway.client.updateConfig({ name: "box", settingKey, settingValue: string("HIGH") });
    assert.deepEqual(await effective(settingKey), ["high", SettingScope.SANDBOX]);
    const { settings, settingsRevision } = await gateway.client.getGatewayConfig({});
    assert.deepEqual([settings[settingKey]?.value.value, settingsRevision], ["low", 1n]);
  });

  it("outlive the gateway, and are taken back", async () => {
    const settingKey = "log_level";
    await gateway.restart();
    assert.deepEqual(await effective(settingKey), ["high", SettingScope.SANDBOX]);
    const back = () => gateway.client.updateConfig({ name: "box", settingKey, deleteSetting: true });
    assert.equal((await back()).deleted, true);
    assert.equal((await back()).deleted, false);
    assert.deepEqual(await effective(settingKey), ["low", SettingScope.GLOBAL]);
    await gateway.client.updateConfig({ global: true, settingKey, deleteSetting: true });
  });

  it("are refused with what there is, or what is wrong", async () => {
    const set = (settingKey: string, settingValue: ReturnType<typeof string> | ReturnType<typeof boolean>) =>
      gateway.client.updateConfig({ name: "box", settingKey, settingValue });
    await assert.rejects(set("log_levl", string("low")), isCode(Code.InvalidArgument, /log_levl.*log_level/));
    await assert.rejects(set("log_level", string("loud")), isCode(Code.InvalidArgument, /"loud" is not a log level/));
    await assert.rejects(set("log_level", boolean(true)), isCode(Code.InvalidArgument, /must be a string/));
    await assert.rejects(set("proposal_approval_mode", string("yes")), isCode(Code.InvalidArgument, /manual nor auto/));
    await assert.rejects(set("providers_v2_enabled", string("on")), isCode(Code.InvalidArgument, /true or false/));
    await assert.rejects(
      gateway.client.updateConfig({ name: "box", global: true, settingKey: "log_level", settingValue: string("low") }),
      isCode(Code.InvalidArgument, /either/),
    );
    await assert.rejects(
      gateway.client.updateConfig({ name: "nobody", settingKey: "log_level", settingValue: string("low") }),
      isCode(Code.NotFound, /nobody/),
    );
  });

  it("let harmless proposals through by themselves, and no others", async () => {
    await gateway.client.updateConfig({
      name: "box",
      settingKey: "proposal_approval_mode",
      settingValue: string("auto"),
    });
    const rule = (name: string, host: string) => ({
      ruleName: name,
      proposedRule: {
        name,
        endpoints: [{ host, port: 443, ports: [443], protocol: "rest", access: "read-only" }],
        binaries: [{ path: "/usr/bin/curl" }],
      },
    });
    await gateway.client.submitPolicyAnalysis({
      name: "box",
      proposedChunks: [rule("plain", "api.example.invalid"), rule("wide", "*.example.invalid")],
    });
    const { chunks } = await gateway.client.getDraftPolicy({ name: "box" });
    assert.deepEqual(Object.fromEntries(chunks.map(({ ruleName, status }) => [ruleName, status])), {
      plain: "approved",
      wide: "pending",
    });
    const { policy } = await gateway.client.getSandboxConfig({ sandboxId });
    assert.deepEqual(Object.keys(policy?.networkPolicies ?? {}), ["plain"]);
  });

  it("close and open what attached providers bring", async () => {
    await gateway.client.createProvider({
      provider: { metadata: { name: "hub" }, type: "github", credentials: { GITHUB_TOKEN: "ghp_0123456789" } },
    });
    await gateway.client.attachSandboxProvider({ sandboxName: "box", providerName: "hub" });
    const rules = async () =>
      Object.keys((await gateway.client.getSandboxConfig({ sandboxId })).policy?.networkPolicies ?? {});
    assert.ok((await rules()).includes("_provider_hub"));
    const settingKey = "providers_v2_enabled";
    await gateway.client.updateConfig({ global: true, settingKey, settingValue: boolean(false) });
    assert.ok(!(await rules()).includes("_provider_hub"));
    await gateway.client.updateConfig({ name: "box", settingKey, settingValue: boolean(true) });
    assert.ok((await rules()).includes("_provider_hub"));
  });
});
