import { testInferenceRoute } from "../../api/inference-methods.ts";
import { defineCommand } from "../../command.ts";
import { toggle } from "../../flags/flag.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { routeName } from "./route-flags.ts";

export const command = defineCommand({
  name: "test",
  summary: "ask a route's model for a word",
  positionals: { name: { kind: "optional", summary: "the route; the default one if left out" } },
  flags: { system: toggle("the route for OpenShell's own use"), output: outputFlag },
  examples: [{ typed: "openshell inference test fast", meaning: "Whether the key still works, and how long it takes" }],
  action: async (context, { flags, words }) => {
    const gateway = await context.gateway();
    const asked = { routeName: routeName(words.name, flags), workspace: context.globals.workspace };
    const { endpoint = {}, latencyMs = 0 } = await gateway.channel.unary(testInferenceRoute, asked);
    const view = { url: endpoint.url ?? "", protocol: endpoint.protocol ?? "", latency_ms: latencyMs };
    context.print(
      flags.output === "table"
        ? `answered in ${view.latency_ms} ms (${view.url})\n`
        : await structured(flags.output, view),
    );
    return 0;
  },
});
