import { attachSandboxProvider } from "../../api/provider-methods.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  name: "provider attach",
  summary: "let a sandbox use a provider",
  details:
    "Its variables are set for commands that start from now on, its endpoints are allowed as the rule `_provider_NAME`.",
  positionals: {
    name: { kind: "required", summary: "the sandbox" },
    provider: { kind: "required", summary: "the provider" },
  },
  flags: {},
  examples: [{ typed: "openshell sandbox provider attach demo github", meaning: "Also while it runs" }],
  action: async (context, { words: { name, provider } }) => {
    const gateway = await context.gateway();
    const request = { sandboxName: name, providerName: provider, workspace: context.globals.workspace };
    const { attached } = await gateway.channel.unary(attachSandboxProvider, request);
    context.print(`${name}: ${provider} ${attached ? "is attached" : "was attached before"}\n`);
    return 0;
  },
});
