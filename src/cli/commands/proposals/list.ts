import { defineCommand } from "../../command.ts";
import { valueOr } from "../../flags/flag.ts";
import { oneOf } from "../../flags/meanings.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";
import { askedSandbox, listProposals, sandboxPositional } from "../../proposals/asked-proposals.ts";
import { type ProposalView, proposalView, shortId } from "../../proposals/proposal-view.ts";

export const command = defineCommand({
  name: "list",
  summary: "list the rules that are proposed for a sandbox, and what each would open",
  details: "Rules that open more than one public host to one program are marked with `!`; `show` says why.",
  positionals: sandboxPositional,
  flags: {
    status: valueOr(
      "those that are pending, approved, rejected, or all",
      oneOf(["pending", "approved", "rejected", "all"]),
      {
        placeholder: "STATUS",
        initial: "pending",
        shownDefault: "pending",
      },
    ),
    output: outputFlag,
  },
  examples: [{ typed: "openshell policy proposals list demo", meaning: "What waits for a decision" }],
  action: async (context, { flags, words }) => {
    const sandbox = await askedSandbox(context, words.name);
    const chunks = await listProposals(sandbox, flags.status === "all" ? "" : flags.status);
    const views = chunks.map(proposalView);
    if (flags.output !== "table") context.print(await structured(flags.output, views));
    else if (views.length === 0) context.note(`no proposals${flags.status === "all" ? "" : ` are ${flags.status}`}`);
    else context.print(proposalTable(views));
    return 0;
  },
});

function proposalTable(views: readonly ProposalView[]): string {
  return table(
    [
      { title: "ID", cell: ({ id }) => shortId(id) },
      { title: "STATUS", cell: ({ status }) => status },
      { title: "SEEN", cell: ({ hit_count }) => `${hit_count}` },
      { title: "", cell: ({ security_notes }) => (security_notes === "" ? "" : "!") },
      { title: "OPENS", cell: ({ rationale }) => rationale },
    ],
    views,
  );
}
