import { rememberSandbox, sandboxName } from "../../api/last-sandbox.ts";
import { getSandbox } from "../../api/methods.ts";
import { defineCommand } from "../../command.ts";
import { usageFailure } from "../../command-failure.ts";
import { text, toggle } from "../../flags/flag.ts";
import { forwardPorts } from "../../forward/forward-ports.ts";
import { sandboxAndPorts } from "../../forward/sandbox-and-ports.ts";

export const command = defineCommand({
  name: "start",
  summary: "make ports of a sandbox reachable on this machine",
  details:
    "A port is `REMOTE`, `LOCAL:REMOTE` or `ADDRESS:LOCAL:REMOTE`: what listens on the sandbox's loopback, and where it is " +
    "to be found here, on 127.0.0.1 unless an address says otherwise. Connections go on when the gateway restarts. Lasts " +
    "until Ctrl-C, or with --background until `forward stop`, and never longer than the sandbox.",
  positionals: { words: { kind: "many", summary: "ports, and the sandbox's name; the one used last if left out" } },
  flags: {
    name: text("the sandbox, instead of a word", { short: "n", placeholder: "NAME" }),
    background: toggle("go on in the background, a process for each port", { short: "d" }),
  },
  examples: [
    { typed: "openshell forward start demo 8080", meaning: "http://127.0.0.1:8080 is the sandbox's port 8080" },
    { typed: "openshell forward start demo 9000:8080 5432 -d", meaning: "Two ports, in the background" },
  ],
  action: async (context, { flags, words }) => {
    const { specs, name: word } = sandboxAndPorts(words.words);
    if (specs.length === 0) throw usageFailure("there is no port to forward", "openshell forward start NAME PORT…");
    const gateway = await context.gateway();
    const name = sandboxName(flags.name ?? word, gateway, context);
    const { sandbox = {} } = await gateway.channel.unary(getSandbox, { name, workspace: context.globals.workspace });
    rememberSandbox(name, gateway, context);
    if (!flags.background) return await forwardPorts({ specs, sandbox, host: "127.0.0.1" }, { gateway, context });
    const { forwardInBackground } = await import("../../forward/forward-in-background.ts");
    for (const spec of specs) {
      const { said, pid } = await forwardInBackground(spec, name, { gateway, context });
      context.print(`${said} (process ${pid})\n`);
    }
    return 0;
  },
});
