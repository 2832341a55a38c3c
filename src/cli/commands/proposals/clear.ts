import { clearDraftChunks } from "../../api/proposal-methods.ts";
import { defineCommand } from "../../command.ts";
import { askedSandbox, sandboxPositional } from "../../proposals/asked-proposals.ts";

export const command = defineCommand({
  name: "clear",
  summary: "forget the pending proposals, without a decision",
  positionals: sandboxPositional,
  flags: {},
  examples: [{ typed: "openshell policy proposals clear demo", meaning: "Start over" }],
  action: async (context, { words }) => {
    const { gateway, name, workspace } = await askedSandbox(context, words.name);
    const { chunksCleared = 0 } = await gateway.channel.unary(clearDraftChunks, { name, workspace });
    context.print(`${name}: ${chunksCleared} forgotten\n`);
    return 0;
  },
});
