import { rejectDraftChunk } from "../../api/proposal-methods.ts";
import { defineCommand } from "../../command.ts";
import { text } from "../../flags/flag.ts";
import { askedProposal, askedSandbox, chunkIdFlag, sandboxPositional } from "../../proposals/asked-proposals.ts";
import { shortId } from "../../proposals/proposal-view.ts";

export const command = defineCommand({
  name: "reject",
  summary: "turn a proposed rule down; the same is not proposed again",
  positionals: sandboxPositional,
  flags: { "chunk-id": chunkIdFlag, reason: text("why, for the history", { placeholder: "REASON" }) },
  examples: [
    { typed: "openshell policy proposals reject demo --chunk-id 1f2e3d4c --reason 'not needed'", meaning: "Say no" },
  ],
  action: async (context, { flags, words }) => {
    const sandbox = await askedSandbox(context, words.name);
    const { name, workspace } = sandbox;
    const { id: chunkId = "" } = await askedProposal(sandbox, flags["chunk-id"]);
    const request = { name, workspace, chunkId, reason: flags.reason ?? "" };
    await sandbox.gateway.channel.unary(rejectDraftChunk, request);
    context.print(`${name}: proposal ${shortId(chunkId)} is rejected\n`);
    return 0;
  },
});
