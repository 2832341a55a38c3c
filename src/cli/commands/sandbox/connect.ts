import { rememberSandbox, sandboxName } from "../../api/last-sandbox.ts";
import { getSandbox } from "../../api/methods.ts";
import { defineCommand } from "../../command.ts";
import { usageFailure } from "../../command-failure.ts";
import { execSession, terminalByDefault } from "../../exec-session.ts";
import { unavailable } from "../../flags/flag.ts";

export const command = defineCommand({
  name: "connect",
  summary: "open a login shell in a sandbox",
  details: "On this terminal, over the same connection as `sandbox exec`. Editors that want SSH cannot use it.",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: { editor: unavailable("open it in an editor", "it comes with SSH access") },
  examples: [{ typed: "openshell sandbox connect demo", meaning: "Look around; `exit` leaves" }],
  action: async (context, { words }) => {
    if (!terminalByDefault(context)) {
      throw usageFailure("a login shell needs a terminal", "for scripts: openshell sandbox exec -n NAME -- COMMAND …");
    }
    const gateway = await context.gateway();
    const name = sandboxName(words.name, gateway, context);
    const { sandbox } = await gateway.channel.unary(getSandbox, { name, workspace: context.globals.workspace });
    rememberSandbox(name, gateway, context);
    // No command means a login shell.
    return await execSession({ sandboxId: sandbox?.metadata?.id ?? "", command: [], tty: true }, gateway, context);
  },
});
