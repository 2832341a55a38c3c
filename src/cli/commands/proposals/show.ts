import { defineCommand } from "../../command.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { printableLine } from "../../output/printable.ts";
import { structured } from "../../output/structured.ts";
import { fields } from "../../output/table.ts";
import { askedProposal, askedSandbox, chunkIdFlag, sandboxPositional } from "../../proposals/asked-proposals.ts";
import { proposalView } from "../../proposals/proposal-view.ts";

export const command = defineCommand({
  name: "show",
  summary: "show one proposed rule: what it opens, why to look twice, and its YAML",
  positionals: sandboxPositional,
  flags: { "chunk-id": chunkIdFlag, output: outputFlag },
  examples: [{ typed: "openshell policy proposals show demo --chunk-id 1f2e3d4c", meaning: "Before deciding" }],
  action: async (context, { flags, words }) => {
    const sandbox = await askedSandbox(context, words.name);
    const view = proposalView(await askedProposal(sandbox, flags["chunk-id"]));
    if (flags.output !== "table") {
      context.print(await structured(flags.output, view));
      return 0;
    }
    const pairs = [
      ["Proposal", view.id],
      ["Status", view.status],
      ["Opens", view.rationale],
      ["Look twice", view.security_notes],
      ["Seen", view.hit_count === 1 ? "once" : `${view.hit_count} times`],
      ["Proposed", view.created_at],
      ["Rejected", view.rejection_reason],
      ["Not approvable", view.validation_result],
      ["Failed", view.application_error],
    ] as const;
    context.print(fields(pairs.map(([label, value]) => [label, printableLine(value)] as const)));
    context.print(`---\n${await structured("yaml", { version: 1, network_policies: view.network_policies })}`);
    return 0;
  },
});
