import { diffPolicies } from "../../../policy/diff.ts";
import { askedPolicy } from "../../api/asked-policy.ts";
import { defineCommand } from "../../command.ts";
import { value } from "../../flags/flag.ts";
import { resourceName } from "../../flags/meanings.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { printable } from "../../output/printable.ts";
import { structured } from "../../output/structured.ts";
import type { Style } from "../../output/style.ts";

export const command = defineCommand({
  name: "diff",
  summary: "what differs between two policies: revisions of a sandbox's, or files",
  details:
    "A number is a revision of the sandbox's policy, 0 the newest; anything else is a file (./7 for a file of that name). " +
    "Rules are compared by their names, in whatever order they stand.",
  positionals: {
    before: { kind: "required", summary: "revision or file" },
    after: { kind: "required", summary: "revision or file" },
  },
  flags: {
    name: value("the sandbox whose revisions are meant; the one used last if left out", resourceName, {
      short: "n",
      placeholder: "NAME",
    }),
    output: outputFlag,
  },
  examples: [
    { typed: "openshell policy diff 1 2 --name demo", meaning: "What the second revision changed" },
    { typed: "openshell policy diff 0 policy.yaml", meaning: "What setting this file would change" },
  ],
  action: async (context, { flags, words }) => {
    const before = await askedPolicy(words.before, flags.name, context);
    const after = await askedPolicy(words.after, flags.name, context);
    const diff = diffPolicies(before, after);
    if (flags.output !== "table") context.print(await structured(flags.output, diff));
    else if (diff.lines.length === 0) context.note("nothing differs");
    else context.print(painted(diff.lines, context.style));
    return 0;
  },
});

function painted(lines: readonly string[], style: Style): string {
  const paint = (line: string) =>
    line.startsWith("-") ? style.bad(line) : line.startsWith("+") ? style.good(line) : line;
  return lines.map((line) => `${paint(printable(line))}\n`).join("");
}
