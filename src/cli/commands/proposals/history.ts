import { getDraftHistory } from "../../api/proposal-methods.ts";
import { defineCommand } from "../../command.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";
import { askedSandbox, sandboxPositional } from "../../proposals/asked-proposals.ts";
import { shortId } from "../../proposals/proposal-view.ts";

export const command = defineCommand({
  name: "history",
  summary: "what was proposed for a sandbox and what was decided, oldest first",
  positionals: sandboxPositional,
  flags: { output: outputFlag },
  examples: [{ typed: "openshell policy proposals history demo", meaning: "Who opened what, and when" }],
  action: async (context, { flags, words }) => {
    const { gateway, name, workspace } = await askedSandbox(context, words.name);
    const { entries = [] } = await gateway.channel.unary(getDraftHistory, { name, workspace });
    const views = entries.map(({ timestampMs, eventType, description, chunkId }) => ({
      time: new Date(Number(timestampMs ?? 0)).toISOString(),
      event: eventType ?? "",
      chunk_id: chunkId ?? "",
      description: description ?? "",
    }));
    if (flags.output !== "table") {
      context.print(await structured(flags.output, views));
      return 0;
    }
    const columns = [
      { title: "TIME", cell: (view: (typeof views)[number]) => view.time },
      { title: "EVENT", cell: (view: (typeof views)[number]) => view.event },
      { title: "ID", cell: (view: (typeof views)[number]) => shortId(view.chunk_id) },
      { title: "WHAT", cell: (view: (typeof views)[number]) => view.description },
    ];
    context.print(table(columns, views));
    return 0;
  },
});
