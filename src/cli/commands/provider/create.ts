import type {
  ConfigureProviderRefreshRequestJson,
  ProviderProfileJson,
} from "../../../gen/openshell/v1/provider_pb.ts";
import type { Gateway } from "../../api/gateway.ts";
import {
  configureProviderRefresh,
  createProvider,
  deleteProvider,
  getProviderProfile,
} from "../../api/provider-methods.ts";
import { providerView } from "../../api/provider-view.ts";
import { applicationDefaultCredentials } from "../../application-default-credentials.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure, usageFailure } from "../../command-failure.ts";
import { list, text, toggle } from "../../flags/flag.ts";
import { keyValue } from "../../flags/meanings.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { isRenewedByGateway } from "../../refresh-strategies.ts";
import { credential, existingConfig, existingCredentials, readCredentials } from "../../secret-input.ts";
import { profileScope } from "./profile-scope.ts";

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
    "from-existing": toggle("take credentials and settings from the variables that programs of this type look for"),
    credential: list("a credential, by the variable that holds it in a sandbox", credential, {
      placeholder: "KEY[=VALUE]",
    }),
    config: list("a setting that is not secret, such as a region or a base URL", keyValue, {
      placeholder: "KEY=VALUE",
    }),
    output: outputFlag,
    "from-gcloud-adc": toggle("renew access tokens with Google's application default credentials of this machine"),
    "runtime-credentials": toggle("without credentials: `provider refresh configure` says how the gateway gets them"),
    "global-profile": toggle("of a type of all workspaces, also where its own has one of that name"),
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
    {
      typed:
        "openshell provider create vertex --type google-vertex-ai --from-gcloud-adc --config VERTEX_AI_PROJECT_ID=my-project",
      meaning: "Google's models, by `gcloud auth application-default login`",
    },
  ],
  action: async (context, { flags, words }) => {
    if (flags.type === undefined)
      throw usageFailure("--type is missing", "`openshell provider profile list` shows what there is");
    if (flags.name !== undefined && words.name !== undefined)
      throw usageFailure("--name and a name exclude each other");
    const runtime = flags["runtime-credentials"] ?? false;
    const gateway = await context.gateway();
    const { workspace } = context.globals;
    const sources = [flags["from-existing"], flags.credential.length > 0, flags["from-gcloud-adc"], runtime];
    if (sources.filter(Boolean).length > 1) {
      throw usageFailure(
        "--credential, --from-existing, --from-gcloud-adc and --runtime-credentials exclude each other",
      );
    }
    const isGlobal = flags["global-profile"] ?? false;
    const scope = { id: flags.type, workspace: profileScope({ global: isGlobal }, context) };
    const { profile = {} } = await gateway.channel.unary(getProviderProfile, scope);
    const adc = flags["from-gcloud-adc"] ? applicationDefaultCredentials(profile, context.environment) : undefined;
    if (runtime) requireRenewable(profile);
    else if (!sources.includes(true)) requireGiven(profile);
    const given = flags["from-existing"] ? existingCredentials(profile, context.environment) : flags.credential;
    const credentials = await readCredentials(given, context);
    const existing = flags["from-existing"] ? existingConfig(profile, context) : {};
    const name = flags.name ?? words.name ?? flags.type;
    const { provider = {} } = await gateway.channel.unary(createProvider, {
      provider: {
        metadata: { name },
        type: flags.type,
        profileWorkspace: isGlobal ? "*" : workspace,
        credentials,
        config: { ...existing, ...Object.fromEntries(flags.config) },
      },
      workspace,
    });
    if (adc !== undefined) await fetchFirstToken(gateway, { ...adc, provider: name, workspace });
    const view = providerView(provider);
    context.print(flags.output === "table" ? `${view.name}\n` : await structured(flags.output, view));
    return 0;
  },
});

function requireRenewable({ id, credentials = [] }: ProviderProfileJson): void {
  if (credentials.some(isRenewedByGateway)) return;
  throw usageFailure(
    `the gateway can't get the credentials of a provider of type ${id} by itself`,
    "give them with --credential",
  );
}

/** That the gateway could get what is missing is for the user to say. */
function requireGiven({ id, credentials = [] }: ProviderProfileJson): void {
  const missing = credentials.filter((each) => each.required && isRenewedByGateway(each));
  const [key] = missing.flatMap(({ envVars = [] }) => envVars);
  if (key === undefined) return;
  const hint = "give it with --credential, or say --runtime-credentials and how with `provider refresh configure`";
  throw usageFailure(`a provider of type ${id} needs a credential ${key}`, hint);
}

/** A provider that nobody can use must not stay behind. */
async function fetchFirstToken(gateway: Gateway, asked: ConfigureProviderRefreshRequestJson): Promise<void> {
  const { provider: name = "", workspace = "" } = asked;
  const giveUp = () => gateway.channel.unary(deleteProvider, { name, workspace });
  const { status = {} } = await gateway.channel.unary(configureProviderRefresh, asked).catch(async (error: unknown) => {
    await giveUp();
    throw error;
  });
  if (status.status === "ok") return;
  await giveUp();
  throw new CommandFailure(`no access token could be fetched: ${status.lastError}`, {
    code: "unavailable",
    hint: "`gcloud auth application-default login` makes new credentials",
  });
}
