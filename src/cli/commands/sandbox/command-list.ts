import type { DetachedCommandView } from "../../api/detached-command-view.ts";
import { namedSandbox } from "../../api/find-detached.ts";
import { age } from "../../api/sandbox-view.ts";
import { defineCommand } from "../../command.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { printable } from "../../output/printable.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";

export const command = defineCommand({
  name: "command list",
  summary: "list the commands that run, or ran, without a client",
  details: "Those of `sandbox exec --detach`. The 32 newest are remembered, with their output and their exit code.",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: { output: outputFlag },
  examples: [{ typed: "openshell sandbox command list demo", meaning: "What runs, and how the others ended" }],
  action: async (context, { flags, words }) => {
    const { name, detached_commands: commands } = await namedSandbox(words.name, await context.gateway(), context);
    if (flags.output !== "table") context.print(await structured(flags.output, commands));
    else if (commands.length === 0) context.note(`no commands of ${name}; \`sandbox exec --detach\` starts one`);
    else context.print(commandTable(commands));
    return 0;
  },
});

function stateOf({ ended_at, exit_code }: DetachedCommandView): string {
  if (ended_at === null) return "running";
  return exit_code === null ? "ended" : `exited ${exit_code}`;
}

function commandTable(commands: readonly DetachedCommandView[]): string {
  const now = Date.now();
  return table(
    [
      { title: "ID", cell: ({ id }) => id },
      { title: "STATE", cell: stateOf },
      { title: "STARTED", cell: ({ started_at }) => `${age(started_at, now)} ago` },
      { title: "COMMAND", cell: ({ command }) => printable(command.join(" ")) },
    ],
    commands,
  );
}
