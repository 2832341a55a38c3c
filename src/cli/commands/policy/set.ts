import type { SandboxPolicyJson } from "../../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { appliedText, applyPolicy } from "../../api/apply-policy.ts";
import { rememberSandbox, sandboxName } from "../../api/last-sandbox.ts";
import { updateConfig } from "../../api/methods.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { usageFailure } from "../../command-failure.ts";
import { confirm } from "../../confirm.ts";
import { text, toggle, valueOr } from "../../flags/flag.ts";
import { wholeNumber } from "../../flags/meanings.ts";
import { loadPolicyFile } from "../../policy-file.ts";

const DEFAULT_TIMEOUT_SECONDS = 60;

export const command = defineCommand({
  name: "set",
  summary: "replace a running sandbox's network rules",
  details:
    "The whole policy is replaced by the file's, in force for every connection from then on. The static sections " +
    "(filesystem, landlock, process) must be the same as before: they are fixed when a sandbox is created. With --global it " +
    "holds in every sandbox until it is deleted, and no sandbox can be given another meanwhile.",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: {
    policy: text("the policy file", { placeholder: "FILE" }),
    wait: toggle("return when the sandbox has loaded it"),
    timeout: valueOr("how long to wait, in seconds", wholeNumber(1, 3600), {
      placeholder: "SECONDS",
      initial: DEFAULT_TIMEOUT_SECONDS,
      shownDefault: `${DEFAULT_TIMEOUT_SECONDS}`,
    }),
    global: toggle("in all sandboxes, in place of their own network rules"),
    yes: toggle("ask nothing"),
  },
  examples: [
    { typed: "openshell policy set demo --policy policy.yaml --wait", meaning: "Change what it may reach, now" },
  ],
  action: async (context, { flags, words }) => {
    if (flags.policy === undefined) throw usageFailure("--policy is missing: the file to set");
    const policy = await loadPolicyFile(flags.policy, context);
    if (flags.global) return setForAll(policy, { isSure: flags.yes, named: words.name, context });
    const gateway = await context.gateway();
    const name = sandboxName(words.name, gateway, context);
    const waitMs = flags.wait ? flags.timeout * 1000 : 0;
    const applied = await applyPolicy({ name, policy }, gateway, { context, waitMs });
    rememberSandbox(name, gateway, context);
    context.print(appliedText(name, applied));
    return 0;
  },
});

interface SetForAll {
  readonly isSure: boolean | undefined;
  /** A sandbox's name, which there must not be. */
  readonly named: string | undefined;
  readonly context: CommandContext;
}

async function setForAll(policy: SandboxPolicyJson, { isSure, named, context }: SetForAll): Promise<number> {
  if (named !== undefined) throw usageFailure("either a sandbox or --global, not both");
  if (!isSure && !(await confirm("put this policy in force in every sandbox", context))) return 1;
  const gateway = await context.gateway();
  const { version = 0, unchanged, warnings = [] } = await gateway.channel.unary(updateConfig, { global: true, policy });
  for (const warning of warnings) context.note(`warning: ${warning}`);
  const outcome = unchanged ? `unchanged, revision ${version} says the same` : `policy revision ${version} is in force`;
  context.print(`all sandboxes: ${outcome}\n`);
  return 0;
}
