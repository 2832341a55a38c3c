import { deleteProvider } from "../../api/provider-methods.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure, usageFailure } from "../../command-failure.ts";

export const command = defineCommand({
  name: "delete",
  summary: "forget providers and their credentials",
  positionals: { names: { kind: "many", summary: "the providers" } },
  flags: {},
  examples: [{ typed: "openshell provider delete github", meaning: "Once no sandbox has it attached" }],
  action: async (context, { words }) => {
    if (words.names.length === 0) throw usageFailure("name the providers to delete");
    const gateway = await context.gateway();
    const { workspace } = context.globals;
    for (const name of words.names) {
      const { deleted } = await gateway.channel.unary(deleteProvider, { name, workspace });
      if (!deleted) throw new CommandFailure(`provider "${name}" not found`, { code: "not_found" });
      context.print(`${name}\n`);
    }
    return 0;
  },
});
