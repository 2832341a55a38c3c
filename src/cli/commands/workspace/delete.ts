import { deleteWorkspace } from "../../api/workspace-methods.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure, usageFailure } from "../../command-failure.ts";

export const command = defineCommand({
  name: "delete",
  summary: "end workspaces that are empty",
  positionals: { names: { kind: "many", summary: "the workspaces" } },
  flags: {},
  examples: [{ typed: "openshell workspace delete web", meaning: "Once its sandboxes and providers are gone" }],
  action: async (context, { words }) => {
    if (words.names.length === 0) throw usageFailure("name the workspaces to delete");
    const { channel } = await context.gateway();
    for (const name of words.names) {
      const { deleted } = await channel.unary(deleteWorkspace, { name });
      if (!deleted) throw new CommandFailure(`workspace "${name}" not found`, { code: "not_found" });
      context.print(`${name}\n`);
    }
    return 0;
  },
});
