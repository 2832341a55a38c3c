import { rememberSandbox, sandboxName } from "../../api/last-sandbox.ts";
import { startSandbox, stopSandbox } from "../../api/methods.ts";
import { sandboxView } from "../../api/sandbox-view.ts";
import { waitForStart } from "../../api/wait-for-phase.ts";
import { defineCommand } from "../../command.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";

export const command = defineCommand({
  name: "restart",
  summary: "end a sandbox's processes and start it again, its own command included",
  details: "Also for one that hangs: what does not end when it is asked to is killed.",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: { output: outputFlag },
  examples: [{ typed: "openshell sandbox restart demo", meaning: "Begin anew with the same files" }],
  action: async (context, { flags, words }) => {
    const gateway = await context.gateway();
    const request = { name: sandboxName(words.name, gateway, context), workspace: context.globals.workspace };
    // Answered once nothing of it runs any more.
    await gateway.channel.unary(stopSandbox, request);
    const { sandbox = {} } = await gateway.channel.unary(startSandbox, request);
    const reached = await waitForStart(sandbox, gateway);
    rememberSandbox(request.name, gateway, context);
    context.print(
      flags.output === "table" ? `${request.name}\n` : await structured(flags.output, sandboxView(reached)),
    );
    return 0;
  },
});
