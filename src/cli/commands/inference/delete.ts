import { deleteInferenceRoute } from "../../api/inference-methods.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure } from "../../command-failure.ts";
import { toggle } from "../../flags/flag.ts";
import { routeName } from "./route-flags.ts";

export const command = defineCommand({
  name: "delete",
  summary: "remove a route; calls that would take it are refused from then on",
  positionals: { name: { kind: "optional", summary: "the route; the default one if left out" } },
  flags: { system: toggle("the route for OpenShell's own use") },
  examples: [{ typed: "openshell inference delete fast", meaning: "In every sandbox at once" }],
  action: async (context, { flags, words }) => {
    const gateway = await context.gateway();
    const asked = { routeName: routeName(words.name, flags), workspace: context.globals.workspace };
    const { deleted } = await gateway.channel.unary(deleteInferenceRoute, asked);
    const meant = asked.routeName === "" ? "for calls that name none" : `"${asked.routeName}"`;
    if (!deleted) throw new CommandFailure(`inference route ${meant} not found`, { code: "not_found" });
    return 0;
  },
});
