import { listWorkspaceMembers } from "../../api/workspace-methods.ts";
import { type MemberView, memberView } from "../../api/workspace-view.ts";
import { defineCommand } from "../../command.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { pageFlags } from "../../flags/page-flags.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";

export const command = defineCommand({
  name: "member list",
  summary: "list who belongs to the workspace",
  positionals: {},
  flags: { ...pageFlags, output: outputFlag },
  examples: [{ typed: "openshell workspace member list -w web", meaning: "And what each may do" }],
  action: async (context, { flags }) => {
    const { workspace } = context.globals;
    const { channel } = await context.gateway();
    const { limit, offset } = flags;
    const { members = [] } = await channel.unary(listWorkspaceMembers, { workspace, limit, offset });
    const views = members.map(memberView);
    if (flags.output !== "table") context.print(await structured(flags.output, views));
    else if (views.length === 0) context.note(`workspace "${workspace}" has no members but the gateway's own users`);
    else context.print(memberTable(views));
    return 0;
  },
});

function memberTable(views: readonly MemberView[]): string {
  return table(
    [
      { title: "SUBJECT", cell: ({ subject }: MemberView) => subject },
      { title: "ROLE", cell: ({ role }: MemberView) => role },
    ],
    views,
  );
}
