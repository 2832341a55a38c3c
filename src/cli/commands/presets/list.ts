import { defineCommand } from "../../command.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";
import { presets } from "../../presets/presets.ts";

export const command = defineCommand({
  name: "list",
  summary: "list the rules that can be added by name, with `sandbox create --preset`",
  positionals: {},
  flags: { output: outputFlag },
  examples: [{ typed: "openshell policy presets list", meaning: "What need not be written" }],
  action: async (context, { flags }) => {
    const views = Object.entries(presets).map(([name, { summary }]) => ({ name, summary }));
    const columns = [
      { title: "PRESET", cell: (view: (typeof views)[number]) => view.name },
      { title: "ALLOWS", cell: (view: (typeof views)[number]) => view.summary },
    ];
    context.print(flags.output === "table" ? table(columns, views) : await structured(flags.output, views));
    return 0;
  },
});
