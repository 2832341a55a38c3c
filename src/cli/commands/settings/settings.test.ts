import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SettingScope } from "../../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import type { UpdateConfigRequest } from "../../../gen/openshell/v1/policy_pb.ts";
import { fakeGateway } from "../../test-support/fake-gateway.ts";
import { CommandRunner } from "../../test-support/run-command.ts";

const string = (value: string) => ({ value: { case: "stringValue", value } }) as const;

describe("openshell settings", () => {
  it("shows what holds for a sandbox, and where that was set", async () => {
    await using gateway = await fakeGateway({
      getSandbox: ({ name }) => ({ sandbox: { metadata: { id: `id-${name}` } } }),
      getSandboxConfig: ({ sandboxId }) => {
        assert.equal(sandboxId, "id-demo");
        return {
          settings: {
            proposal_approval_mode: { value: string("auto"), scope: SettingScope.SANDBOX },
            log_level: { value: string("low"), scope: SettingScope.GLOBAL },
            providers_v2_enabled: { value: { value: { case: "boolValue", value: true } } },
          },
        };
      },
    });
    using runner = new CommandRunner();
    const endpoint = ["--gateway-endpoint", gateway.endpoint];
    const shown = await runner.run(...endpoint, "settings", "get", "demo");
    assert.deepEqual(
      shown.stdout.split("\n").map((line) => line.split(/\s+/)),
      [
        ["SETTING", "VALUE", "FROM"],
        ["log_level", "low", "gateway"],
        ["proposal_approval_mode", "auto", "sandbox"],
        ["providers_v2_enabled", "true", "default"],
        [""],
      ],
    );
    const json = JSON.parse((await runner.run(...endpoint, "settings", "get", "demo", "--json")).stdout);
    assert.deepEqual(json[2], { key: "providers_v2_enabled", value: true, from: "default" });
  });

  it("sets and deletes, for one or for all", async () => {
    const asked: UpdateConfigRequest[] = [];
    await using gateway = await fakeGateway({
      updateConfig: (request) => {
        asked.push(request);
        return { deleted: request.settingKey === "log_level" };
      },
    });
    using runner = new CommandRunner();
    const endpoint = ["--gateway-endpoint", gateway.endpoint];
    const run = async (...words: string[]) => (await runner.run(...endpoint, "settings", ...words)).exitCode;
    assert.equal(await run("set", "demo", "--key", "log_level", "--value", "low"), 0);
    assert.equal(await run("set", "--global", "--key", "log_level", "--value", "low", "--yes"), 0);
    assert.equal(await run("delete", "demo", "--key", "log_level"), 0);
    assert.equal(await run("delete", "demo", "--key", "providers_v2_enabled"), 1, "was not set");
    assert.deepEqual(
      asked.map(({ name, global, deleteSetting }) => [name, global, deleteSetting]),
      [
        ["demo", false, false],
        ["", true, false],
        ["demo", false, true],
        ["demo", false, true],
      ],
    );
    assert.equal(await run("set", "demo", "--global", "--key", "log_level", "--value", "low"), 2);
    assert.equal(await run("set", "demo", "--value", "low"), 2);
  });
});
