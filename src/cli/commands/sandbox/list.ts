import { listSandboxes } from "../../api/methods.ts";
import { age, type SandboxView, sandboxView } from "../../api/sandbox-view.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { text, toggle } from "../../flags/flag.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { pageFlags } from "../../flags/page-flags.ts";
import { labelsText } from "../../output/labels.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";

export const command = defineCommand({
  name: "list",
  summary: "list sandboxes",
  positionals: {},
  flags: {
    ...pageFlags,
    ids: toggle("print only identifiers, one a line"),
    names: toggle("print only names, one a line"),
    selector: text("only those with these labels", { placeholder: "K=V,…" }),
    "all-workspaces": toggle("of all workspaces"),
    output: outputFlag,
  },
  examples: [
    { typed: "openshell sandbox list", meaning: "All sandboxes" },
    { typed: "openshell sandbox list --names --selector team=web", meaning: "The names of those with a label" },
  ],
  action: async (context, { flags }) => {
    const { channel } = await context.gateway();
    const { sandboxes = [] } = await channel.unary(listSandboxes, {
      limit: flags.limit,
      offset: flags.offset,
      labelSelector: flags.selector ?? "",
      workspace: context.globals.workspace,
      allWorkspaces: flags["all-workspaces"] ?? false,
    });
    const views = sandboxes.map(sandboxView);
    if (flags.ids) context.print(views.map(({ id }) => `${id}\n`).join(""));
    else if (flags.names) context.print(views.map(({ name }) => `${name}\n`).join(""));
    else if (flags.output !== "table") context.print(await structured(flags.output, views));
    else if (views.length === 0) context.note("no sandboxes; `openshell sandbox create` makes one");
    else context.print(sandboxTable(views, context));
    return 0;
  },
});

function sandboxTable(views: readonly SandboxView[], { style }: CommandContext): string {
  const now = Date.now();
  return table(
    [
      { title: "NAME", cell: ({ name }) => name },
      {
        title: "PHASE",
        cell: ({ phase }) => phase,
        paint: (padded, { phase }) =>
          (phase === "Ready" ? style.good : phase === "Error" ? style.bad : style.warning)(padded),
      },
      { title: "POLICY", cell: ({ current_policy_version }) => `v${current_policy_version}` },
      { title: "AGE", cell: ({ created_at }) => age(created_at, now) },
      { title: "LABELS", cell: ({ labels }) => labelsText(labels) },
    ],
    views,
  );
}
