import { createWorkspace } from "../../api/workspace-methods.ts";
import { defineCommand } from "../../command.ts";
import { usageFailure } from "../../command-failure.ts";
import { list, text } from "../../flags/flag.ts";
import { keyValue } from "../../flags/meanings.ts";

export const command = defineCommand({
  name: "create",
  summary: "make a workspace",
  details: "Its sandboxes, providers and inference routes are its own. Choose it with -w, or OPENSHELL_WORKSPACE.",
  positionals: { name: { kind: "optional", summary: "what to call it" } },
  flags: {
    name: text("what to call it", { placeholder: "NAME" }),
    label: list("a label", keyValue, { placeholder: "KEY=VALUE" }),
  },
  examples: [{ typed: "openshell workspace create web --label team=web", meaning: "For a team" }],
  action: async (context, { words, flags }) => {
    const name = words.name ?? flags.name;
    if (name === undefined) throw usageFailure("name the workspace", "openshell workspace create NAME");
    const { channel } = await context.gateway();
    await channel.unary(createWorkspace, { name, labels: Object.fromEntries(flags.label) });
    context.print(`${name}\n`);
    return 0;
  },
});
