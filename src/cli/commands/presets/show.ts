import { defineCommand } from "../../command.ts";
import { structured } from "../../output/structured.ts";
import { requirePreset } from "../../presets/presets.ts";

export const command = defineCommand({
  name: "show",
  summary: "print a preset as a policy file, with the hosts that this machine's tools are configured for",
  positionals: { preset: { kind: "required", summary: "its name" } },
  flags: {},
  examples: [{ typed: "openshell policy presets show npm", meaning: "What would npm be allowed" }],
  action: async (context, { words }) => {
    const rules = await requirePreset(words.preset).rules(context.environment);
    context.print(await structured("yaml", { version: 1, network_policies: rules }));
    return 0;
  },
});
