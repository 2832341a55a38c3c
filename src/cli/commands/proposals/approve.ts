import { approveDraftChunk } from "../../api/proposal-methods.ts";
import { defineCommand } from "../../command.ts";
import { printableLine } from "../../output/printable.ts";
import { askedProposal, askedSandbox, chunkIdFlag, sandboxPositional } from "../../proposals/asked-proposals.ts";

export const command = defineCommand({
  name: "approve",
  summary: "add a proposed rule to the sandbox's policy, in force at once",
  positionals: sandboxPositional,
  flags: { "chunk-id": chunkIdFlag },
  examples: [{ typed: "openshell policy proposals approve demo --chunk-id 1f2e3d4c", meaning: "Say yes to one" }],
  action: async (context, { flags, words }) => {
    const sandbox = await askedSandbox(context, words.name);
    const { name, workspace } = sandbox;
    const chunk = await askedProposal(sandbox, flags["chunk-id"]);
    if (chunk.securityNotes) context.note(`note: it ${printableLine(chunk.securityNotes)}`);
    const { policyVersion } = await sandbox.gateway.channel.unary(approveDraftChunk, {
      name,
      workspace,
      chunkId: chunk.id ?? "",
      reviewToken: chunk.reviewToken ?? "",
    });
    context.print(`${name}: policy revision ${policyVersion} ${printableLine(chunk.rationale ?? "")}\n`);
    return 0;
  },
});
