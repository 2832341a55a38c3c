import type { Followed } from "../../api/follow-sandboxes.ts";
import { listSandboxes, watchSandboxes } from "../../api/methods.ts";
import { sandboxView } from "../../api/sandbox-view.ts";
import { defineCommand } from "../../command.ts";
import { usageFailure } from "../../command-failure.ts";
import { text, toggle } from "../../flags/flag.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { pageFlags } from "../../flags/page-flags.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";
import { printChanges } from "./print-changes.ts";
import { sandboxColumns } from "./sandbox-columns.ts";

/** As many as the gateway gives at once. */
const ALL = 1_000;

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
    watch: toggle("go on with each change; with -o json a line for each"),
    output: outputFlag,
  },
  examples: [
    { typed: "openshell sandbox list", meaning: "All sandboxes" },
    { typed: "openshell sandbox list --names --selector team=web", meaning: "The names of those with a label" },
    { typed: "openshell sandbox list --watch -o json", meaning: "Each change as a line, for a program" },
  ],
  action: async (context, { flags }) => {
    const gateway = await context.gateway();
    const place = {
      labelSelector: flags.selector ?? "",
      workspace: context.globals.workspace,
      allWorkspaces: flags["all-workspaces"] ?? false,
    };
    if (flags.watch) {
      if (flags.ids || flags.names) throw usageFailure("--watch shows more than --ids or --names: use -o json");
      const followed: Followed = {
        list: async ({ channel }) => (await channel.unary(listSandboxes, { ...place, limit: ALL })).sandboxes ?? [],
        watch: ({ channel }) => channel.serverStream(watchSandboxes, place),
      };
      return await printChanges({ followed, format: flags.output, endsWithLast: false }, gateway, context);
    }
    const page = { ...place, limit: flags.limit, offset: flags.offset };
    const { sandboxes = [] } = await gateway.channel.unary(listSandboxes, page);
    const views = sandboxes.map(sandboxView);
    if (flags.ids) context.print(views.map(({ id }) => `${id}\n`).join(""));
    else if (flags.names) context.print(views.map(({ name }) => `${name}\n`).join(""));
    else if (flags.output !== "table") context.print(await structured(flags.output, views));
    else if (views.length === 0) context.note("no sandboxes; `openshell sandbox create` makes one");
    else context.print(table(sandboxColumns(context, Date.now), views));
    return 0;
  },
});
