import { rememberSandbox, sandboxName } from "../../api/last-sandbox.ts";
import { listSandboxProviders } from "../../api/provider-methods.ts";
import { providerView } from "../../api/provider-view.ts";
import { defineCommand } from "../../command.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { providerTable } from "../provider/list.ts";

export const command = defineCommand({
  name: "provider list",
  summary: "list the providers that a sandbox may use",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: { output: outputFlag },
  examples: [{ typed: "openshell sandbox provider list demo", meaning: "Which are attached to it" }],
  action: async (context, { flags, words }) => {
    const gateway = await context.gateway();
    const name = sandboxName(words.name, gateway, context);
    const request = { sandboxName: name, workspace: context.globals.workspace };
    const { providers = [] } = await gateway.channel.unary(listSandboxProviders, request);
    rememberSandbox(name, gateway, context);
    const views = providers.map(providerView);
    if (flags.output !== "table") context.print(await structured(flags.output, views));
    else if (views.length === 0) context.note(`no providers are attached to ${name}`);
    else context.print(providerTable(views));
    return 0;
  },
});
