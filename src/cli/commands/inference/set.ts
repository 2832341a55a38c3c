import { setInferenceRoute } from "../../api/inference-methods.ts";
import { setSentence } from "../../api/route-view.ts";
import { defineCommand } from "../../command.ts";
import { usageFailure } from "../../command-failure.ts";
import { optionsFrom, routeFlags, routeName } from "./route-flags.ts";

export const command = defineCommand({
  name: "set",
  summary: "choose the model behind https://inference.local",
  details:
    "Tried with a small request first, then in force in every sandbox at once. Without a name it is the default route; " +
    "callers choose a named one by giving its name, or what an alias matches, as the model.",
  positionals: { name: { kind: "optional", summary: "the route" } },
  flags: routeFlags,
  examples: [
    { typed: "openshell inference set --provider anthropic --model claude-sonnet-4-5", meaning: "For all calls" },
    {
      typed:
        "openshell inference set fast --provider groq --model llama-3.1-8b-instant --alias 'gpt-*-mini' --fallback inference.local",
      meaning: "For callers that ask for a small model",
    },
  ],
  action: async (context, { flags, words }) => {
    if (flags.provider === undefined || flags.model === undefined)
      throw usageFailure("--provider and --model are needed");
    const gateway = await context.gateway();
    const answer = await gateway.channel.unary(setInferenceRoute, {
      routeName: routeName(words.name, flags),
      providerName: flags.provider,
      modelId: flags.model,
      timeoutSecs: `${flags.timeout ?? 0}`,
      noVerify: flags["no-verify"] ?? false,
      options: optionsFrom(flags),
      workspace: context.globals.workspace,
    });
    context.print(setSentence(answer));
    return 0;
  },
});
