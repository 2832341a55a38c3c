import { updateConfig } from "../../api/methods.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure, usageFailure } from "../../command-failure.ts";
import { text, toggle } from "../../flags/flag.ts";
import { globalFlag, settingPlace } from "./setting-place.ts";

export const command = defineCommand({
  name: "delete",
  summary: "take a setting back: the gateway's value holds again, or the default",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: { key: text("the setting", { placeholder: "KEY" }), global: globalFlag, yes: toggle("ask nothing") },
  examples: [{ typed: "openshell settings delete demo --key log_level", meaning: "As everywhere again" }],
  action: async (context, { flags, words }) => {
    const { key } = flags;
    if (key === undefined) throw usageFailure("--key is missing: the setting");
    const gateway = await context.gateway();
    const place = settingPlace(words.name, flags.global, { gateway, context });
    const { deleted } = await gateway.channel.unary(updateConfig, { ...place, settingKey: key, deleteSetting: true });
    if (!deleted) throw new CommandFailure(`${key} is not set there`, { code: "not_found" });
    return 0;
  },
});
