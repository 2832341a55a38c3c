import { getProvider } from "../../api/provider-methods.ts";
import { providerView } from "../../api/provider-view.ts";
import { defineCommand } from "../../command.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { fields } from "../../output/table.ts";

export const command = defineCommand({
  name: "get",
  summary: "show a provider, without its secrets",
  positionals: { name: { kind: "required", summary: "the provider" } },
  flags: { output: outputFlag },
  examples: [{ typed: "openshell provider get github", meaning: "Its credentials' names, and its settings" }],
  action: async (context, { flags, words }) => {
    const gateway = await context.gateway();
    const { provider = {} } = await gateway.channel.unary(getProvider, {
      name: words.name,
      workspace: context.globals.workspace,
    });
    const view = providerView(provider);
    if (flags.output !== "table") {
      context.print(await structured(flags.output, view));
      return 0;
    }
    context.print(
      fields([
        ["Name", view.name],
        ["Type", view.type],
        ["Credentials", view.credential_keys.join(", ")],
        ...Object.entries(view.config).map(([key, value]): [string, string] => [key, value]),
        ...Object.entries(view.credential_expires_at).map(([key, at]): [string, string] => [`${key} expires`, at]),
        ["Created", view.created_at],
        ["Version", `${view.resource_version}`],
      ]),
    );
    return 0;
  },
});
