import type { TestInferenceRouteResponseJson } from "../../../gen/openshell/inference/v1/inference_pb.ts";
import { testInferenceRoute } from "../../api/inference-methods.ts";
import { defineCommand } from "../../command.ts";
import { toggle } from "../../flags/flag.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { printableLine } from "../../output/printable.ts";
import { structured } from "../../output/structured.ts";
import { fields } from "../../output/table.ts";
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
    const view = testView(await gateway.channel.unary(testInferenceRoute, asked));
    context.print(flags.output === "table" ? fields(sentences(view)) : await structured(flags.output, view));
    return 0;
  },
});

function testView({ endpoint = {}, ...test }: TestInferenceRouteResponseJson) {
  return {
    url: endpoint.url ?? "",
    protocol: endpoint.protocol ?? "",
    model: test.modelId ?? "",
    question: test.question ?? "",
    answered: test.answered ?? false,
    answer: test.answer ?? "",
    model_served: test.modelServed ?? "",
    input_tokens: test.inputTokens ?? 0,
    output_tokens: test.outputTokens ?? 0,
    latency_ms: test.latencyMs ?? 0,
  };
}

function sentences(view: ReturnType<typeof testView>): [string, string | undefined][] {
  return [
    ["Asked", `${view.model}: "${view.question}"`],
    ["At", `${view.url} (${view.protocol})`],
    [
      "Answer",
      view.answered ? `"${printableLine(view.answer)}"` : "none: it has had too many calls, but knows the key",
    ],
    ["Model", printableLine(view.model_served)],
    ["Tokens", view.answered ? `${view.input_tokens} in, ${view.output_tokens} out` : undefined],
    ["Time", `${view.latency_ms} ms`],
  ];
}
