import { detachSandboxProvider } from "../../api/provider-methods.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  name: "provider detach",
  summary: "take a provider away from a sandbox",
  details: "Placeholders that its programs still hold are worth nothing from the next request on.",
  positionals: {
    name: { kind: "required", summary: "the sandbox" },
    provider: { kind: "required", summary: "the provider" },
  },
  flags: {},
  examples: [{ typed: "openshell sandbox provider detach demo github", meaning: "Also while it runs" }],
  action: async (context, { words: { name, provider } }) => {
    const gateway = await context.gateway();
    const request = { sandboxName: name, providerName: provider, workspace: context.globals.workspace };
    const { detached } = await gateway.channel.unary(detachSandboxProvider, request);
    context.print(`${name}: ${provider} ${detached ? "is detached" : "was not attached"}\n`);
    return 0;
  },
});
