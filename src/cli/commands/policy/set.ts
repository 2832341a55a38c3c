import { appliedText, applyPolicy } from "../../api/apply-policy.ts";
import { rememberSandbox, sandboxName } from "../../api/last-sandbox.ts";
import { defineCommand } from "../../command.ts";
import { usageFailure } from "../../command-failure.ts";
import { text, toggle, unavailable, valueOr } from "../../flags/flag.ts";
import { wholeNumber } from "../../flags/meanings.ts";
import { loadPolicyFile } from "../../policy-file.ts";

const DEFAULT_TIMEOUT_SECONDS = 60;

export const command = defineCommand({
  name: "set",
  summary: "replace a running sandbox's network rules",
  details:
    "The whole policy is replaced by the file's, in force for every connection from then on. The static sections " +
    "(filesystem, landlock, process) must be the same as before: they are fixed when a sandbox is created.",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: {
    policy: text("the policy file", { placeholder: "FILE" }),
    wait: toggle("return when the sandbox has loaded it"),
    timeout: valueOr("how long to wait, in seconds", wholeNumber(1, 3600), {
      placeholder: "SECONDS",
      initial: DEFAULT_TIMEOUT_SECONDS,
      shownDefault: `${DEFAULT_TIMEOUT_SECONDS}`,
    }),
    global: unavailable("set the policy of all sandboxes", "gateway-wide policies come later; set it for each sandbox"),
    yes: toggle("ask nothing"),
  },
  examples: [
    { typed: "openshell policy set demo --policy policy.yaml --wait", meaning: "Change what it may reach, now" },
  ],
  action: async (context, { flags, words }) => {
    if (flags.policy === undefined) throw usageFailure("--policy is missing: the file to set");
    const policy = await loadPolicyFile(flags.policy, context);
    const gateway = await context.gateway();
    const name = sandboxName(words.name, gateway, context);
    const waitMs = flags.wait ? flags.timeout * 1000 : 0;
    const applied = await applyPolicy({ name, policy }, gateway, { context, waitMs });
    rememberSandbox(name, gateway, context);
    context.print(appliedText(name, applied));
    return 0;
  },
});
