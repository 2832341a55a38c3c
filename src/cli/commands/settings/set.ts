import { updateConfig } from "../../api/methods.ts";
import { defineCommand } from "../../command.ts";
import { usageFailure } from "../../command-failure.ts";
import { text, toggle } from "../../flags/flag.ts";
import { globalFlag, settingPlace } from "./setting-place.ts";

export const command = defineCommand({
  name: "set",
  summary: "change a setting of a sandbox, or of all",
  details: "It holds from then on, also for what runs. `openshell settings get` shows which settings there are.",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: {
    key: text("the setting", { placeholder: "KEY" }),
    value: text("its value", { placeholder: "VALUE" }),
    global: globalFlag,
    yes: toggle("ask nothing"),
  },
  examples: [
    {
      typed: "openshell settings set demo --key proposal_approval_mode --value auto",
      meaning: "Proposed rules that open nothing to think about are in force at once",
    },
    { typed: "openshell settings set --global --key log_level --value low", meaning: "Logs without what was allowed" },
  ],
  action: async (context, { flags, words }) => {
    const { key, value } = flags;
    if (key === undefined) throw usageFailure("--key is missing: the setting");
    if (value === undefined) throw usageFailure("--value is missing: what to set it to");
    const gateway = await context.gateway();
    const place = settingPlace(words.name, flags.global, { gateway, context });
    await gateway.channel.unary(updateConfig, { ...place, settingKey: key, settingValue: { stringValue: value } });
    return 0;
  },
});
