import { updateConfig } from "../../api/methods.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure, usageFailure } from "../../command-failure.ts";
import { confirm } from "../../confirm.ts";
import { toggle } from "../../flags/flag.ts";

export const command = defineCommand({
  name: "delete",
  summary: "take the policy of all sandboxes back: each has its own again",
  details: "A sandbox's own policy can't be deleted, as nothing would say then what it may do; set another one.",
  positionals: {},
  flags: { global: toggle("the policy of all sandboxes"), yes: toggle("ask nothing") },
  examples: [{ typed: "openshell policy delete --global", meaning: "Let each sandbox have its own policy" }],
  action: async (context, { flags }) => {
    if (!flags.global) throw usageFailure("--global is missing: only the policy of all sandboxes can be deleted");
    if (!flags.yes && !(await confirm("give every sandbox its own policy again", context))) return 1;
    const gateway = await context.gateway();
    const request = { global: true, settingKey: "policy", deleteSetting: true };
    const { deleted, warnings = [] } = await gateway.channel.unary(updateConfig, request);
    if (!deleted) throw new CommandFailure("there is no policy of all sandboxes", { code: "not_found" });
    for (const warning of warnings) context.note(`warning: ${warning}`);
    context.print("all sandboxes: each has its own policy again\n");
    return 0;
  },
});
