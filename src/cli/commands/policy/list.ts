import { listSandboxPolicies } from "../../api/methods.ts";
import { revisionView } from "../../api/revision-view.ts";
import { defineCommand } from "../../command.ts";
import { toggle, valueOr } from "../../flags/flag.ts";
import { wholeNumber } from "../../flags/meanings.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";
import { policyPlace } from "./policy-place.ts";

const DEFAULT_LIMIT = 20;
const SHOWN_HASH_DIGITS = 12;

export const command = defineCommand({
  name: "list",
  summary: "list the revisions of a sandbox's policy, newest first",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: {
    limit: valueOr("how many at most", wholeNumber(1, 10_000), {
      placeholder: "N",
      initial: DEFAULT_LIMIT,
      shownDefault: `${DEFAULT_LIMIT}`,
    }),
    global: toggle("of the policy of all sandboxes"),
    output: outputFlag,
  },
  examples: [{ typed: "openshell policy list demo", meaning: "What was in force when" }],
  action: async (context, { flags, words }) => {
    const gateway = await context.gateway();
    const place = policyPlace(words.name, flags.global, { gateway, context });
    const asked = { ...place.request, limit: flags.limit };
    const { revisions = [] } = await gateway.channel.unary(listSandboxPolicies, asked);
    place.remember();
    const views = revisions.map(revisionView);
    if (flags.output !== "table") {
      context.print(await structured(flags.output, views));
      return 0;
    }
    const shown = table(
      [
        { title: "REVISION", cell: ({ version }) => `${version}` },
        { title: "STATUS", cell: ({ status }) => status },
        { title: "CREATED", cell: ({ created_at }) => created_at },
        { title: "HASH", cell: ({ hash }) => hash.slice(0, SHOWN_HASH_DIGITS) },
        { title: "ERROR", cell: ({ load_error }) => load_error },
      ],
      views,
    );
    context.print(shown);
    return 0;
  },
});
