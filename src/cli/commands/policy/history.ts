import type { SandboxPolicyRevisionJson } from "../../../gen/openshell/v1/policy_pb.ts";
import { diffPolicies } from "../../../policy/diff.ts";
import { rememberSandbox, sandboxName } from "../../api/last-sandbox.ts";
import { listSandboxPolicies } from "../../api/methods.ts";
import { type RevisionView, revisionView } from "../../api/revision-view.ts";
import { defineCommand } from "../../command.ts";
import { valueOr } from "../../flags/flag.ts";
import { wholeNumber } from "../../flags/meanings.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";
import { readPolicyFromGateway } from "../../policy-json.ts";

const DEFAULT_LIMIT = 20;

/** A revision, and what it changed. */
interface HistoryView extends RevisionView {
  /** Where it came from: `create`, `set`, `update`, … */
  readonly source: string;
  /** Rules and sections: `+` came, `-` went, `~` changed; null where the revision before it is not at hand, or one can't be read. */
  readonly changes: readonly string[] | null;
}

export const command = defineCommand({
  name: "history",
  summary: "how a sandbox's policy became what it is, newest first",
  details:
    "Each revision with what became of it (pending, loaded, failed, superseded), where it came from, and which rules came " +
    "(+), went (-) and changed (~). `openshell policy diff A B` shows the lines.",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: {
    limit: valueOr("how many at most", wholeNumber(1, 999), {
      placeholder: "N",
      initial: DEFAULT_LIMIT,
      shownDefault: `${DEFAULT_LIMIT}`,
    }),
    output: outputFlag,
  },
  examples: [{ typed: "openshell policy history demo", meaning: "Who changed what, and when" }],
  action: async (context, { flags, words }) => {
    const gateway = await context.gateway();
    const name = sandboxName(words.name, gateway, context);
    const { workspace } = context.globals;
    // One more than is shown, for the last one to be compared with.
    const request = { name, limit: flags.limit + 1, workspace };
    const { revisions = [] } = await gateway.channel.unary(listSandboxPolicies, request);
    rememberSandbox(name, gateway, context);
    const views = revisions.slice(0, flags.limit).map((revision, at) => historyView(revision, revisions[at + 1]));
    context.print(flags.output === "table" ? historyTable(views) : await structured(flags.output, views));
    return 0;
  },
});

function historyView(revision: SandboxPolicyRevisionJson, before: SandboxPolicyRevisionJson | undefined): HistoryView {
  const source = revision.provenance?.["source"] ?? "";
  return { ...revisionView(revision), source, changes: changesOf(revision, before) };
}

function changesOf(
  { policy, version }: SandboxPolicyRevisionJson,
  before: SandboxPolicyRevisionJson | undefined,
): string[] | null {
  if (before === undefined) return version === 1 ? [] : null;
  const from = readPolicyFromGateway(before.policy ?? {});
  const to = readPolicyFromGateway(policy ?? {});
  // Of a gateway that knows more: it failed, which is what a reader wants to learn.
  if (!from.ok || !to.ok) return null;
  const diff = diffPolicies(from.policy, to.policy);
  return [
    ...diff.added.map((key) => `+${key}`),
    ...diff.removed.map((key) => `-${key}`),
    ...[...diff.changed, ...diff.sections].map((key) => `~${key}`),
  ];
}

function historyTable(views: readonly HistoryView[]): string {
  return table(
    [
      { title: "REVISION", cell: ({ version }) => `${version}` },
      { title: "STATUS", cell: ({ status }) => status },
      { title: "CREATED", cell: ({ created_at }) => created_at },
      { title: "SOURCE", cell: ({ source }) => source },
      { title: "CHANGES", cell: ({ changes }) => changes?.join(" ") ?? "" },
      { title: "ERROR", cell: ({ load_error }) => load_error },
    ],
    views,
  );
}
