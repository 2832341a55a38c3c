import { createProvider, getProviderProfile } from "../../api/provider-methods.ts";
import { providerView } from "../../api/provider-view.ts";
import { defineCommand } from "../../command.ts";
import { usageFailure } from "../../command-failure.ts";
import { list, text, toggle, unavailable } from "../../flags/flag.ts";
import { keyValue } from "../../flags/meanings.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { credential, existingCredentials, readCredentials } from "../../secret-input.ts";

export const command = defineCommand({
  name: "create",
  summary: "keep a service's credentials, for sandboxes to use",
  details:
    "The values are stored encrypted, and no command shows them again. `--credential KEY` takes a value from the " +
    "environment variable KEY; where there is none it asks, or reads standard input.",
  positionals: { name: { kind: "optional", summary: "what to call it; the type's name if left out" } },
  flags: {
    name: text("what to call it", { placeholder: "NAME" }),
    type: text("what kind of service: see `provider profile list`", { placeholder: "TYPE" }),
    "from-existing": toggle("take the credentials from the variables that programs of this type look for"),
    credential: list("a credential, by the variable that holds it in a sandbox", credential, {
      placeholder: "KEY[=VALUE]",
    }),
    config: list("a setting that is not secret, such as a region or a base URL", keyValue, {
      placeholder: "KEY=VALUE",
    }),
    output: outputFlag,
    "from-gcloud-adc": unavailable("take Google's application default credentials", "pass an access token until then"),
    "runtime-credentials": unavailable(
      "create it without credentials",
      "leave out --credential for types that allow it",
    ),
    "global-profile": unavailable("use a profile of all workspaces", "there is one workspace"),
  },
  examples: [
    { typed: "openshell provider create --type github --from-existing", meaning: "From GH_TOKEN or GITHUB_TOKEN" },
    {
      typed: "openshell provider create work --type anthropic --credential ANTHROPIC_API_KEY",
      meaning: "Asks for the key",
    },
    {
      typed:
        "openshell provider create llm --type openai --credential OPENAI_API_KEY --config OPENAI_BASE_URL=https://models.example.com/v1",
      meaning: "A service that speaks OpenAI's dialect",
    },
  ],
  action: async (context, { flags, words }) => {
    if (flags.type === undefined)
      throw usageFailure("--type is missing", "`openshell provider profile list` shows what there is");
    if (flags.name !== undefined && words.name !== undefined)
      throw usageFailure("--name and a name exclude each other");
    const gateway = await context.gateway();
    const { workspace } = context.globals;
    const given = [...flags.credential];
    if (flags["from-existing"]) {
      const { profile = {} } = await gateway.channel.unary(getProviderProfile, { id: flags.type, workspace });
      given.push(...existingCredentials(profile, context.environment));
    }
    const credentials = await readCredentials(given, context);
    const { provider = {} } = await gateway.channel.unary(createProvider, {
      provider: {
        metadata: { name: flags.name ?? words.name ?? flags.type },
        type: flags.type,
        credentials,
        config: Object.fromEntries(flags.config),
      },
      workspace,
    });
    const view = providerView(provider);
    context.print(flags.output === "table" ? `${view.name}\n` : await structured(flags.output, view));
    return 0;
  },
});
