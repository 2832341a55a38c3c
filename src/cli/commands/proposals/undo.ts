import { undoDraftChunk } from "../../api/proposal-methods.ts";
import { defineCommand } from "../../command.ts";
import { askedProposal, askedSandbox, chunkIdFlag, sandboxPositional } from "../../proposals/asked-proposals.ts";
import { shortId } from "../../proposals/proposal-view.ts";

export const command = defineCommand({
  name: "undo",
  summary: "take a decision back: an approved rule leaves the policy, and the proposal is pending again",
  positionals: sandboxPositional,
  flags: { "chunk-id": chunkIdFlag },
  examples: [{ typed: "openshell policy proposals undo demo --chunk-id 1f2e3d4c", meaning: "Think again" }],
  action: async (context, { flags, words }) => {
    const sandbox = await askedSandbox(context, words.name);
    const { name, workspace } = sandbox;
    const { id: chunkId = "" } = await askedProposal(sandbox, flags["chunk-id"]);
    const { policyVersion } = await sandbox.gateway.channel.unary(undoDraftChunk, { name, workspace, chunkId });
    context.print(`${name}: proposal ${shortId(chunkId)} is pending again; policy revision ${policyVersion}\n`);
    return 0;
  },
});
