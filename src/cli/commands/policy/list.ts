import { rememberSandbox, sandboxName } from "../../api/last-sandbox.ts";
import { listSandboxPolicies } from "../../api/methods.ts";
import { revisionView } from "../../api/revision-view.ts";
import { defineCommand } from "../../command.ts";
import { unavailable, valueOr } from "../../flags/flag.ts";
import { wholeNumber } from "../../flags/meanings.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";

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
    global: unavailable("of the gateway-wide policy", "gateway-wide policies come later"),
    output: outputFlag,
  },
  examples: [{ typed: "openshell policy list demo", meaning: "What was in force when" }],
  action: async (context, { flags, words }) => {
    const gateway = await context.gateway();
    const name = sandboxName(words.name, gateway, context);
    const { workspace } = context.globals;
    const { revisions = [] } = await gateway.channel.unary(listSandboxPolicies, {
      name,
      limit: flags.limit,
      workspace,
    });
    rememberSandbox(name, gateway, context);
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
