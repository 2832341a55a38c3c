import { age, type SandboxView } from "../../api/sandbox-view.ts";
import type { CommandContext } from "../../command-context.ts";
import { labelsText } from "../../output/labels.ts";
import type { Column } from "../../output/table.ts";

/** A sandbox as a row; `now` is milliseconds since the epoch. */
export function sandboxColumns({ style }: CommandContext, now: () => number): Column<SandboxView>[] {
  return [
    { title: "NAME", cell: ({ name }) => name },
    {
      title: "PHASE",
      cell: ({ phase }) => phase,
      paint: (padded, { phase }) =>
        (phase === "Ready" ? style.good : phase === "Error" ? style.bad : style.warning)(padded),
    },
    { title: "POLICY", cell: ({ current_policy_version }) => `v${current_policy_version}` },
    { title: "AGE", cell: ({ created_at }) => age(created_at, now()) },
    { title: "LABELS", cell: ({ labels }) => labelsText(labels) },
  ];
}
