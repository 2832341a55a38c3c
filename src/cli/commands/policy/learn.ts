import type { PolicyChunkJson } from "../../../gen/openshell/v1/advisor_pb.ts";
import { learnRules } from "../../../policy/learn/learn-rules.ts";
import { getSandbox, getSandboxConfig, getSandboxLogs } from "../../api/methods.ts";
import { approveAllDraftChunks, submitPolicyAnalysis } from "../../api/proposal-methods.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { attempts } from "../../explain/denial.ts";
import { toggle, value } from "../../flags/flag.ts";
import { duration } from "../../flags/meanings.ts";
import { printableLine } from "../../output/printable.ts";
import { policyFromGateway } from "../../policy-json.ts";
import { type AskedSandbox, askedSandbox, sandboxPositional } from "../../proposals/asked-proposals.ts";
import { learnedChunk, learnedYaml } from "../../proposals/learned-rules.ts";

/** As many lines as the gateway gives in one answer. Attempts are never informational. */
const READ_LINES = 10_000;

export const command = defineCommand({
  name: "learn",
  summary: "propose the smallest rules for what a sandbox was denied, or would have been",
  details:
    "Reads the sandbox's log, and proposes rules for what its policy denies: exact hosts, ports, programs and methods; in " +
    "paths, ids become `*`. Prints them as a policy file and leaves them as pending proposals. Best with a sandbox made " +
    "with --observe, in which everything passes that the guard allows.",
  positionals: sandboxPositional,
  flags: {
    since: value("only what was tried in this time, such as 30m", duration, { placeholder: "TIME" }),
    apply: toggle("approve the proposals at once, but for those that deserve a second look"),
    "dry-run": toggle("only print the rules, and propose nothing"),
  },
  examples: [
    { typed: "openshell policy learn demo > learned.yaml", meaning: "What would it have needed" },
    { typed: "openshell policy learn demo --since 10m --apply", meaning: "Let what was just denied pass from now on" },
  ],
  action: async (context, { flags, words }) => {
    const sandbox = await askedSandbox(context, words.name);
    const { rules, left } = await learn(sandbox, flags.since);
    if (left.length > 0) context.note(`for ${left.length} refusals no rule helps; \`openshell logs\` shows them`);
    else if (rules.length === 0)
      context.note("there is nothing to learn: the log tells of nothing that the policy denies");
    if (rules.length === 0) return 0;
    context.print(learnedYaml(rules, sandbox.name));
    if (!flags["dry-run"]) await propose(rules.map(learnedChunk), sandbox, context);
    if (flags.apply && !flags["dry-run"]) await approve(sandbox, context);
    return 0;
  },
});

async function learn({ gateway, name, workspace }: AskedSandbox, sinceMs: number | undefined) {
  const { sandbox } = await gateway.channel.unary(getSandbox, { name, workspace });
  const sandboxId = sandbox?.metadata?.id ?? "";
  const [{ policy }, { logs = [] }] = await Promise.all([
    gateway.channel.unary(getSandboxConfig, { sandboxId }),
    gateway.channel.unary(getSandboxLogs, {
      sandboxId,
      lines: READ_LINES,
      sources: ["sandbox"],
      minLevel: "low",
      sinceMs: sinceMs === undefined ? "0" : String(Date.now() - sinceMs),
    }),
  ]);
  return learnRules(policyFromGateway(policy ?? {}), attempts(logs));
}

async function propose(
  proposedChunks: PolicyChunkJson[],
  { gateway, name, workspace }: AskedSandbox,
  context: CommandContext,
): Promise<void> {
  const request = { name, workspace, proposedChunks, analysisMode: "learn" };
  const { acceptedChunks = 0, rejectionReasons = [] } = await gateway.channel.unary(submitPolicyAnalysis, request);
  for (const reason of rejectionReasons) context.note(`not proposed: ${printableLine(reason)}`);
  context.note(`${acceptedChunks} pending: see \`openshell policy proposals list ${name}\``);
}

async function approve({ gateway, name, workspace }: AskedSandbox, context: CommandContext): Promise<void> {
  const answer = await gateway.channel.unary(approveAllDraftChunks, { name, workspace });
  const { chunksApproved = 0, chunksSkipped = 0, policyVersion } = answer;
  context.note(`${chunksApproved} approved, ${chunksSkipped} left for a second look; policy revision ${policyVersion}`);
}
