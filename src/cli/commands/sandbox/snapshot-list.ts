import { rememberSandbox, sandboxName } from "../../api/last-sandbox.ts";
import { listSnapshots } from "../../api/snapshot-methods.ts";
import { defineCommand } from "../../command.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";

export const command = defineCommand({
  name: "list",
  summary: "the copies that are kept of a sandbox's state",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: { output: outputFlag },
  examples: [{ typed: "openshell sandbox snapshot list demo", meaning: "What there is to go back to" }],
  action: async (context, { flags, words }) => {
    const gateway = await context.gateway();
    const name = sandboxName(words.name, gateway, context);
    const answer = await gateway.channel.unary(listSnapshots, { name, workspace: context.globals.workspace });
    rememberSandbox(name, gateway, context);
    const snapshots = (answer.snapshots ?? []).map((snapshot) => ({
      name: snapshot.name ?? "",
      created_at: new Date(Number(snapshot.createdAtMs ?? 0)).toISOString(),
    }));
    const columns = [
      { title: "NAME", cell: (row: (typeof snapshots)[number]) => row.name },
      { title: "CREATED", cell: (row: (typeof snapshots)[number]) => row.created_at },
    ];
    context.print(flags.output === "table" ? table(columns, snapshots) : await structured(flags.output, snapshots));
    return 0;
  },
});
