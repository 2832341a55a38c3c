import { rememberSandbox, sandboxName } from "../../api/last-sandbox.ts";
import { getSandbox } from "../../api/methods.ts";
import { sandboxView } from "../../api/sandbox-view.ts";
import { waitForStart, waitForStop } from "../../api/wait-for-phase.ts";
import { defineCommand } from "../../command.ts";
import { valueOr } from "../../flags/flag.ts";
import { oneOf } from "../../flags/meanings.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";

export const command = defineCommand({
  name: "wait",
  summary: "wait until a sandbox is ready, or stopped",
  details: "Fails as soon as it is somewhere it will not leave by itself: in error, being deleted, or stopped.",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: {
    for: valueOr("what to wait for: ready or stopped", oneOf(["ready", "stopped"]), {
      placeholder: "PHASE",
      initial: "ready",
      shownDefault: "ready",
    }),
    output: outputFlag,
  },
  examples: [{ typed: "openshell sandbox wait demo --for stopped", meaning: "Go on when it has stopped" }],
  action: async (context, { flags, words }) => {
    const gateway = await context.gateway();
    const name = sandboxName(words.name, gateway, context);
    const { sandbox = {} } = await gateway.channel.unary(getSandbox, { name, workspace: context.globals.workspace });
    rememberSandbox(name, gateway, context);
    const reached = await (flags.for === "ready" ? waitForStart : waitForStop)(sandbox, gateway);
    context.print(flags.output === "table" ? `${name}\n` : await structured(flags.output, sandboxView(reached)));
    return 0;
  },
});
