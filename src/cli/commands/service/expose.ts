import { rememberSandbox } from "../../api/last-sandbox.ts";
import { exposeService } from "../../api/service-methods.ts";
import { defineCommand } from "../../command.ts";
import { usageFailure } from "../../command-failure.ts";
import { wholeNumber } from "../../flags/meanings.ts";

const port = wholeNumber(1, 65_535);

export const command = defineCommand({
  name: "expose",
  summary: "give an HTTP service in a sandbox a URL on this machine",
  details:
    "http://SANDBOX.openshell.localhost:PORT/, or SANDBOX--SERVICE for a service with a name. Whoever is on the gateway's " +
    "machine can open it; it is there until it is deleted, or the sandbox is.",
  positionals: {
    sandbox: { kind: "required", summary: "the sandbox" },
    port: { kind: "required", summary: "what the service listens on, on the sandbox's loopback" },
    service: { kind: "optional", summary: "a name, where a sandbox has several" },
  },
  flags: {},
  examples: [
    { typed: "openshell service expose demo 8080", meaning: "Prints http://demo.openshell.localhost:17671/" },
    { typed: "openshell service expose demo 5173 web", meaning: "http://demo--web.openshell.localhost:17671/" },
  ],
  action: async (context, { words }) => {
    const target = port(words.port);
    if (!target.ok) throw usageFailure(`the port ${target.problem}`);
    const gateway = await context.gateway();
    const { url = "" } = await gateway.channel.unary(exposeService, {
      sandbox: words.sandbox,
      service: words.service ?? "",
      targetPort: target.value,
      domain: true,
      workspace: context.globals.workspace,
    });
    rememberSandbox(words.sandbox, gateway, context);
    context.print(`${url}\n`);
    return 0;
  },
});
