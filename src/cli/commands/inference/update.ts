import { getInferenceRoute, setInferenceRoute } from "../../api/inference-methods.ts";
import { setSentence } from "../../api/route-view.ts";
import { defineCommand } from "../../command.ts";
import { optionsFrom, routeFlags, routeName } from "./route-flags.ts";

export const command = defineCommand({
  name: "update",
  summary: "change a route; what is not named stays",
  positionals: { name: { kind: "optional", summary: "the route; the default one if left out" } },
  flags: routeFlags,
  examples: [
    { typed: "openshell inference update --model claude-opus-4-1", meaning: "Another model of the same provider" },
  ],
  action: async (context, { flags, words }) => {
    const gateway = await context.gateway();
    const { workspace } = context.globals;
    const asked = { routeName: routeName(words.name, flags), workspace };
    const before = await gateway.channel.unary(getInferenceRoute, asked);
    const answer = await gateway.channel.unary(setInferenceRoute, {
      routeName: before.routeName ?? "",
      providerName: flags.provider ?? before.providerName ?? "",
      modelId: flags.model ?? before.modelId ?? "",
      timeoutSecs: flags.timeout === undefined ? (before.timeoutSecs ?? "0") : `${flags.timeout}`,
      noVerify: flags["no-verify"] ?? false,
      options: optionsFrom(flags, before.options),
      workspace,
    });
    context.print(setSentence(answer));
    return 0;
  },
});
