import { approveAllDraftChunks } from "../../api/proposal-methods.ts";
import { defineCommand } from "../../command.ts";
import { toggle } from "../../flags/flag.ts";
import { askedSandbox, sandboxPositional } from "../../proposals/asked-proposals.ts";

export const command = defineCommand({
  name: "approve-all",
  summary: "add all pending rules to the sandbox's policy, but for those that deserve a second look",
  positionals: sandboxPositional,
  flags: {
    "include-security-flagged": toggle("also those that open private addresses, wildcards or hosts with credentials"),
  },
  examples: [{ typed: "openshell policy proposals approve-all demo", meaning: "After having read the list" }],
  action: async (context, { flags, words }) => {
    const { gateway, name, workspace } = await askedSandbox(context, words.name);
    const includeSecurityFlagged = flags["include-security-flagged"] ?? false;
    const {
      policyVersion,
      chunksApproved = 0,
      chunksSkipped = 0,
    } = await gateway.channel.unary(approveAllDraftChunks, { name, workspace, includeSecurityFlagged });
    const skipped = chunksSkipped === 0 ? "" : `, ${chunksSkipped} left for a second look`;
    context.print(`${name}: ${chunksApproved} approved${skipped}; policy revision ${policyVersion}\n`);
    return 0;
  },
});
