import { deleteProviderProfile } from "../../api/provider-methods.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure } from "../../command-failure.ts";
import { toggle } from "../../flags/flag.ts";
import { profileScope } from "./profile-scope.ts";

export const command = defineCommand({
  name: "delete",
  summary: "remove an imported profile that no provider uses",
  positionals: { id: { kind: "required", summary: "the type" } },
  flags: { global: toggle("one of all workspaces") },
  examples: [{ typed: "openshell provider profile delete tickets", meaning: "Built-in ones stay" }],
  action: async (context, { flags, words: { id } }) => {
    const gateway = await context.gateway();
    const { deleted } = await gateway.channel.unary(deleteProviderProfile, {
      id,
      workspace: profileScope(flags, context),
    });
    if (!deleted) throw new CommandFailure(`provider profile "${id}" not found`, { code: "not_found" });
    context.print(`${id}\n`);
    return 0;
  },
});
