import type { EffectiveSettingJson, SettingValueJson } from "../../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { getGatewayConfig, getSandbox, getSandboxConfig } from "../../api/methods.ts";
import { defineCommand } from "../../command.ts";
import { toggle } from "../../flags/flag.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";
import { globalFlag, settingPlace } from "./setting-place.ts";

interface SettingView {
  readonly key: string;
  readonly value: string | boolean | number;
  /** Where the value comes from. */
  readonly from: "sandbox" | "gateway" | "default";
}

export const command = defineCommand({
  name: "get",
  summary: "show the settings that hold for a sandbox, or those of the gateway",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: { global: globalFlag, json: toggle("the same as --output json"), output: outputFlag },
  examples: [
    { typed: "openshell settings get demo", meaning: "Each with its value and where that was set" },
    { typed: "openshell settings get --global --json", meaning: "What was set for all" },
  ],
  action: async (context, { flags, words }) => {
    const gateway = await context.gateway();
    const place = settingPlace(words.name, flags.global, { gateway, context });
    let views: SettingView[];
    if ("global" in place) {
      const { settings = {} } = await gateway.channel.unary(getGatewayConfig, {});
      views = Object.entries(settings).map(([key, value]) => ({ key, value: plainValue(value), from: "gateway" }));
    } else {
      const { sandbox } = await gateway.channel.unary(getSandbox, place);
      const sandboxId = sandbox?.metadata?.id ?? "";
      const { settings = {} } = await gateway.channel.unary(getSandboxConfig, { sandboxId });
      views = Object.entries(settings).map(([key, setting]) => effectiveView(key, setting));
    }
    views.sort((a, b) => (a.key < b.key ? -1 : 1));
    const output = flags.json ? "json" : flags.output;
    context.print(
      output === "table"
        ? table(
            [
              { title: "SETTING", cell: ({ key }) => key },
              { title: "VALUE", cell: ({ value }) => `${value}` },
              { title: "FROM", cell: ({ from }) => from },
            ],
            views,
          )
        : await structured(output, views),
    );
    return 0;
  },
});

const origins = { SETTING_SCOPE_SANDBOX: "sandbox", SETTING_SCOPE_GLOBAL: "gateway" } as const;

function effectiveView(key: string, { value, scope }: EffectiveSettingJson): SettingView {
  const from =
    scope !== undefined && Object.hasOwn(origins, scope) ? origins[scope as keyof typeof origins] : "default";
  return { key, value: plainValue(value ?? {}), from };
}

function plainValue(value: SettingValueJson): string | boolean | number {
  return value.stringValue ?? value.boolValue ?? value.intValue ?? "";
}
