import type { SandboxPolicyJson } from "../../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { getSandboxPolicyStatus } from "../../api/methods.ts";
import { revisionView } from "../../api/revision-view.ts";
import { defineCommand } from "../../command.ts";
import { toggle, valueOr } from "../../flags/flag.ts";
import { wholeNumber } from "../../flags/meanings.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { printableLine } from "../../output/printable.ts";
import { structured } from "../../output/structured.ts";
import { fields } from "../../output/table.ts";
import { policyPlace } from "./policy-place.ts";

export const command = defineCommand({
  name: "get",
  summary: "show the policy of a sandbox",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: {
    rev: valueOr("which revision; 0: the one in force", wholeNumber(0, 0xffff_ffff), {
      placeholder: "REV",
      initial: 0,
      shownDefault: "0",
    }),
    full: toggle("with the whole policy"),
    base: toggle("the policy without the rules of attached providers"),
    global: toggle("the policy of all sandboxes"),
    output: outputFlag,
  },
  examples: [
    { typed: "openshell policy get demo", meaning: "Which revision is in force" },
    { typed: "openshell policy get demo --full", meaning: "The policy itself, as YAML" },
  ],
  action: async (context, { flags, words }) => {
    const gateway = await context.gateway();
    const place = policyPlace(words.name, flags.global, { gateway, context });
    const asked = { ...place.request, version: flags.rev };
    const { revision = {}, activeVersion = 0 } = await gateway.channel.unary(getSandboxPolicyStatus, asked);
    place.remember();
    const view = revisionView(revision);
    const wanted = flags.base ? withoutProviders(revision.policy ?? {}) : (revision.policy ?? {});
    const policy = flags.full || flags.base ? (await import("../../policy-json.ts")).policyDocument(wanted) : undefined;
    if (flags.output !== "table") {
      const document = {
        ...place.document,
        ...view,
        active_version: activeVersion,
        ...(policy && { policy }),
      };
      context.print(await structured(flags.output, document));
      return 0;
    }
    const head = fields([
      ["Sandbox", place.title],
      ["Revision", `${view.version}`],
      ["In force", `${activeVersion}`],
      ["Status", view.status],
      ["Error", printableLine(view.load_error)],
      ["Hash", view.hash],
      ["Created", view.created_at],
      ["Loaded", view.loaded_at ?? undefined],
    ]);
    // As a comment, so that the whole is a policy file, to be edited and set again.
    context.print(policy ? `${head.replace(/^(?=.)/gm, "# ")}---\n${await structured("yaml", policy)}` : head);
    return 0;
  },
});

/** The gateway keeps these names for the rules that it adds. */
function withoutProviders({ networkPolicies = {}, ...policy }: SandboxPolicyJson): SandboxPolicyJson {
  const own = Object.entries(networkPolicies).filter(([key]) => !key.startsWith("_provider_"));
  return { ...policy, networkPolicies: Object.fromEntries(own) };
}
