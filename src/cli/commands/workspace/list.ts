import { age } from "../../api/sandbox-view.ts";
import { listWorkspaces } from "../../api/workspace-methods.ts";
import { type WorkspaceView, workspaceView } from "../../api/workspace-view.ts";
import { defineCommand } from "../../command.ts";
import { text } from "../../flags/flag.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { pageFlags } from "../../flags/page-flags.ts";
import { labelsText } from "../../output/labels.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";

export const command = defineCommand({
  name: "list",
  summary: "list the workspaces that are yours to see",
  positionals: {},
  flags: {
    ...pageFlags,
    "label-selector": text("only those with these labels", { placeholder: "K=V,…" }),
    output: outputFlag,
  },
  examples: [{ typed: "openshell workspace list", meaning: "All of them" }],
  action: async (context, { flags }) => {
    const { channel } = await context.gateway();
    const { limit, offset, "label-selector": labelSelector = "" } = flags;
    const { workspaces = [] } = await channel.unary(listWorkspaces, { limit, offset, labelSelector });
    const views = workspaces.map(workspaceView);
    if (flags.output !== "table") context.print(await structured(flags.output, views));
    else if (views.length === 0) context.note("no workspaces");
    else context.print(workspaceTable(views));
    return 0;
  },
});

export function workspaceTable(views: readonly WorkspaceView[]): string {
  const now = Date.now();
  return table(
    [
      { title: "NAME", cell: ({ name }) => name },
      { title: "PHASE", cell: ({ phase }) => phase },
      { title: "AGE", cell: ({ created_at: created }) => (created === null ? "-" : age(created, now)) },
      { title: "LABELS", cell: ({ labels }) => labelsText(labels) },
    ],
    views,
  );
}
