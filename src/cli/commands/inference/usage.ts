import type { InferenceUsageJson } from "../../../gen/openshell/inference/v1/inference_pb.ts";
import { getInferenceUsage } from "../../api/inference-methods.ts";
import { defineCommand } from "../../command.ts";
import { value } from "../../flags/flag.ts";
import { duration } from "../../flags/meanings.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";

export const command = defineCommand({
  name: "usage",
  summary: "what sandboxes used of the models",
  details: "Summed by the hour, for 400 days, from the record of each call; also for sandboxes that have gone.",
  positionals: {},
  flags: {
    since: value("for how long back, such as 24h", duration, { placeholder: "DURATION" }),
    output: outputFlag,
  },
  examples: [{ typed: "openshell inference usage --since 24h", meaning: "Calls and tokens of the last day" }],
  action: async (context, { flags }) => {
    const gateway = await context.gateway();
    const { workspace } = context.globals;
    const sinceMs = flags.since === undefined ? 0 : Date.now() - flags.since;
    const { usage = [] } = await gateway.channel.unary(getInferenceUsage, { sinceMs: `${sinceMs}`, workspace });
    const views = usage.map(usageView);
    if (flags.output !== "table") context.print(await structured(flags.output, views));
    else if (views.length === 0) context.note("no calls to models are on record");
    else context.print(table(columns, views));
    return 0;
  },
});

function usageView(usage: InferenceUsageJson) {
  return {
    sandbox: usage.sandboxName ?? "",
    route: usage.routeName ?? "",
    provider: usage.providerName ?? "",
    model: usage.model ?? "",
    calls: Number(usage.calls ?? 0),
    failures: Number(usage.failures ?? 0),
    input_tokens: Number(usage.inputTokens ?? 0),
    output_tokens: Number(usage.outputTokens ?? 0),
  };
}

type UsageView = ReturnType<typeof usageView>;

const columns = [
  { title: "SANDBOX", cell: ({ sandbox }: UsageView) => sandbox },
  { title: "ROUTE", cell: ({ route }: UsageView) => route },
  { title: "PROVIDER", cell: ({ provider }: UsageView) => provider },
  { title: "MODEL", cell: ({ model }: UsageView) => model },
  { title: "CALLS", cell: ({ calls }: UsageView) => `${calls}` },
  { title: "FAILED", cell: ({ failures }: UsageView) => `${failures}` },
  { title: "TOKENS IN", cell: (view: UsageView) => `${view.input_tokens}` },
  { title: "TOKENS OUT", cell: (view: UsageView) => `${view.output_tokens}` },
];
