import { rememberSandbox, sandboxName } from "../../api/last-sandbox.ts";
import { stopSandbox } from "../../api/methods.ts";
import { sandboxView } from "../../api/sandbox-view.ts";
import { waitForStop } from "../../api/wait-for-phase.ts";
import { defineCommand } from "../../command.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";

export const command = defineCommand({
  name: "stop",
  summary: "end a sandbox's processes and keep its files",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: { output: outputFlag },
  examples: [{ typed: "openshell sandbox stop demo", meaning: "Stop, to go on later" }],
  action: async (context, { flags, words }) => {
    const gateway = await context.gateway();
    const name = sandboxName(words.name, gateway, context);
    const { sandbox = {} } = await gateway.channel.unary(stopSandbox, { name, workspace: context.globals.workspace });
    const reached = await waitForStop(sandbox, gateway);
    rememberSandbox(name, gateway, context);
    context.print(flags.output === "table" ? `${name}\n` : await structured(flags.output, sandboxView(reached)));
    return 0;
  },
});
