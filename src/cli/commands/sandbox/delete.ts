import { forgetSandbox } from "../../api/last-sandbox.ts";
import { deleteSandbox, listSandboxes } from "../../api/methods.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure, usageFailure } from "../../command-failure.ts";
import { confirm } from "../../confirm.ts";
import { toggle } from "../../flags/flag.ts";
import { printable } from "../../output/printable.ts";
import { tellFailure } from "../../output/tell-failure.ts";
import { forgetHostKey, knownHostsFile } from "../../ssh/known-hosts.ts";

/** One page that holds every sandbox a machine can have. */
const ALL = 10_000;

export const command = defineCommand({
  name: "delete",
  summary: "delete sandboxes with everything in them",
  positionals: { names: { kind: "many", summary: "the sandboxes" } },
  flags: {
    all: toggle("every sandbox of the workspace; on a terminal it is asked for once more"),
    yes: toggle("ask nothing"),
  },
  examples: [
    { typed: "openshell sandbox delete demo", meaning: "Delete one" },
    { typed: "openshell sandbox delete --all", meaning: "Delete all" },
  ],
  action: async (context, { flags, words }) => {
    // A destructive command never guesses: the sandbox used last is not taken for granted here.
    if (words.names.length === 0 && !flags.all) throw usageFailure("name the sandboxes to delete, or say --all");
    if (words.names.length > 0 && flags.all) throw usageFailure("--all and names exclude each other");
    const gateway = await context.gateway();
    const { workspace } = context.globals;
    const names = flags.all
      ? ((await gateway.channel.unary(listSandboxes, { limit: ALL, workspace })).sandboxes ?? []).map(
          ({ metadata }) => metadata?.name ?? "",
        )
      : words.names;
    // Whoever names them has said what goes. A script that says --all has nobody to ask, and has said it, too.
    if (flags.all && !flags.yes && context.stdin.isTTY && names.length > 0) {
      const what = `delete ${names.length === 1 ? "the sandbox" : `all ${names.length} sandboxes`} of workspace ${workspace}`;
      if (!(await confirm(`${what}, with everything in them: ${printable(names.join(", "))}`, context))) {
        throw new CommandFailure("nothing was deleted", { code: "cancelled" });
      }
    }
    // All at once: the gateway takes each one down by itself, and the slowest sets the time.
    const outcomes = await Promise.allSettled(
      names.map((name) => gateway.channel.unary(deleteSandbox, { name, workspace })),
    );
    let exitCode = 0;
    for (const [at, outcome] of outcomes.entries()) {
      const name = names[at] ?? "";
      if (outcome.status === "fulfilled") {
        forgetSandbox(name, gateway, context);
        forgetHostKey(knownHostsFile({ sandboxName: name, workspace }, gateway, context));
        context.print(`${name}\n`);
      } else {
        exitCode = tellFailure(outcome.reason, { world: context, asJson: false });
      }
    }
    return exitCode;
  },
});
