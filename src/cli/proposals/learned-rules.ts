/** Rules that were learned, as a policy file to read and as proposals to decide on. */
import type { SandboxPolicyJson } from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import type { PolicyChunkJson } from "../../gen/openshell/v1/advisor_pb.ts";
import type { LearnedRule } from "../../policy/learn/learn-rules.ts";
import { printYaml } from "../../policy/print.ts";
import { readPolicy } from "../../policy/read-policy.ts";
import { treeFromJson } from "../../policy/tree.ts";
import { policyToMessageJson } from "../../policy/wire-json.ts";
import { printableLine } from "../output/printable.ts";

/** Reasons and scripts that a comment names. */
const shownEach = 4;

/** A policy file with nothing but these rules, each with a comment on what it was made from. */
export function learnedYaml(rules: readonly LearnedRule[], sandbox: string): string {
  const head = `# Learned from what sandbox ${sandbox} was denied, or would have been.\nversion: 1\nnetwork_policies:\n`;
  return (
    head + rules.map((learned) => `${comment(learned)}${indented(printYaml({ [learned.key]: learned.rule }))}`).join("")
  );
}

function comment({ attempts }: LearnedRule): string {
  const reasons = listed(attempts.map(({ reason }) => reason));
  const scripts = listed(attempts.flatMap(({ script }) => script ?? []));
  const running = scripts === "" ? "" : `; run as ${scripts}`;
  return `  # Seen ${attempts.length === 1 ? "once" : `${attempts.length} times`}: ${printableLine(`${reasons}${running}`)}\n`;
}

function listed(words: readonly string[]): string {
  const all = Array.from(new Set(words));
  return all.length > shownEach ? `${all.slice(0, shownEach).join(", ")}, …` : all.join(", ");
}

function indented(yaml: string): string {
  return yaml.replace(/^(?=.)/gm, "  ");
}

/** As the gateway takes it. */
export function learnedChunk({ key, rule, attempts }: LearnedRule): PolicyChunkJson {
  const times = attempts.map(({ time }) => time);
  return {
    ruleName: key,
    proposedRule: messageOf(key, rule),
    hitCount: attempts.length,
    firstSeenMs: String(Math.min(...times)),
    lastSeenMs: String(Math.max(...times)),
    binary: rule.binaries[0]?.path ?? "",
  };
}

function messageOf(key: string, rule: LearnedRule["rule"]) {
  const read = readPolicy(treeFromJson({ version: 1, network_policies: { [key]: rule } }));
  if (!read.ok) throw new Error(`a learned rule is none: ${JSON.stringify(read.problems)}`);
  // Under the names of the .proto file: see policy-file.ts.
  const message = policyToMessageJson(read.policy) as { network_policies?: SandboxPolicyJson["networkPolicies"] };
  return message.network_policies?.[key] ?? {};
}
