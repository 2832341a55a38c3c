import type { SandboxPolicyJson } from "../../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { editDraftChunk } from "../../api/proposal-methods.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { usageFailure } from "../../command-failure.ts";
import { text } from "../../flags/flag.ts";
import { loadPolicyFile } from "../../policy-file.ts";
import { askedProposal, askedSandbox, chunkIdFlag, sandboxPositional } from "../../proposals/asked-proposals.ts";
import { shortId } from "../../proposals/proposal-view.ts";

export const command = defineCommand({
  name: "edit",
  summary: "replace a proposed rule by another one, before it is approved",
  details: "The file is a policy with one rule: what `policy proposals show` prints below the line `---`, changed.",
  positionals: sandboxPositional,
  flags: { "chunk-id": chunkIdFlag, file: text("a policy file with the one rule", { placeholder: "FILE" }) },
  examples: [
    {
      typed: "openshell policy proposals edit demo --chunk-id 1f2e3d4c --file narrower.yaml",
      meaning: "Say yes to less",
    },
  ],
  action: async (context, { flags, words }) => {
    if (flags.file === undefined)
      throw usageFailure(
        "--file is missing: a policy file with the one rule",
        "begin with what `openshell policy proposals show` prints below `---`",
      );
    const proposedRule = await onlyRule(flags.file, context);
    const sandbox = await askedSandbox(context, words.name);
    const { name, workspace } = sandbox;
    const { id: chunkId = "" } = await askedProposal(sandbox, flags["chunk-id"]);
    await sandbox.gateway.channel.unary(editDraftChunk, { name, workspace, chunkId, proposedRule });
    context.print(`${name}: proposal ${shortId(chunkId)} is changed\n`);
    return 0;
  },
});

async function onlyRule(file: string, context: CommandContext) {
  const policy = await loadPolicyFile(file, context);
  // Under the name of the .proto file: see loadPolicyFile.
  const { network_policies: rules = {} } = policy as { network_policies?: SandboxPolicyJson["networkPolicies"] };
  const [rule, other] = Object.values(rules ?? {});
  if (rule === undefined || other !== undefined) throw usageFailure(`${file} must have exactly one network rule`);
  return rule;
}
