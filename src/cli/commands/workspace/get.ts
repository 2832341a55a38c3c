import { getWorkspace } from "../../api/workspace-methods.ts";
import { workspaceView } from "../../api/workspace-view.ts";
import { defineCommand } from "../../command.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { workspaceTable } from "./list.ts";

export const command = defineCommand({
  name: "get",
  summary: "show a workspace",
  positionals: { name: { kind: "optional", summary: "the workspace; that of -w if left out" } },
  flags: { output: outputFlag },
  examples: [{ typed: "openshell workspace get web", meaning: "Its labels and age" }],
  action: async (context, { words, flags }) => {
    const { channel } = await context.gateway();
    const { workspace = {} } = await channel.unary(getWorkspace, { name: words.name ?? context.globals.workspace });
    const view = workspaceView(workspace);
    context.print(flags.output === "table" ? workspaceTable([view]) : await structured(flags.output, view));
    return 0;
  },
});
