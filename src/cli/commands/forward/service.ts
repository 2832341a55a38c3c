import { rememberSandbox, sandboxName } from "../../api/last-sandbox.ts";
import { getSandbox } from "../../api/methods.ts";
import { defineCommand } from "../../command.ts";
import { usageFailure } from "../../command-failure.ts";
import { anyText, text, value, valueOr } from "../../flags/flag.ts";
import { wholeNumber } from "../../flags/meanings.ts";
import { forwardPorts } from "../../forward/forward-ports.ts";
import { portSpec } from "../../forward/port-spec.ts";

export const command = defineCommand({
  name: "service",
  summary: "`forward start` for one port, under the published flags",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: {
    "target-port": value("the port in the sandbox", wholeNumber(1, 65_535), { placeholder: "PORT" }),
    "target-host": valueOr("who listens there, on the sandbox's loopback", anyText, {
      placeholder: "HOST",
      initial: "127.0.0.1",
      shownDefault: "127.0.0.1",
    }),
    local: text("where on this machine; the same port of 127.0.0.1 if left out", { placeholder: "[ADDRESS:]PORT" }),
  },
  examples: [{ typed: "openshell forward service demo --target-port 8080 --local 9000", meaning: "Until Ctrl-C" }],
  action: async (context, { flags, words }) => {
    const target = flags["target-port"];
    if (target === undefined) throw usageFailure("which port is missing", "--target-port PORT");
    const spec = portSpec(flags.local === undefined ? `${target}` : `${flags.local}:${target}`);
    if (!spec.ok) throw usageFailure(`--local ${spec.problem}`);
    const gateway = await context.gateway();
    const name = sandboxName(words.name, gateway, context);
    const { sandbox = {} } = await gateway.channel.unary(getSandbox, { name, workspace: context.globals.workspace });
    rememberSandbox(name, gateway, context);
    return await forwardPorts({ specs: [spec.value], sandbox, host: flags["target-host"] }, { gateway, context });
  },
});
