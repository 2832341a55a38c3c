import { configureProviderRefresh } from "../../api/provider-methods.ts";
import { refreshView } from "../../api/refresh-view.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure, usageFailure } from "../../command-failure.ts";
import { anyText, list, text, value } from "../../flags/flag.ts";
import { keyValue, moment } from "../../flags/meanings.ts";
import { refreshStrategies } from "../../refresh-strategies.ts";

export const command = defineCommand({
  name: "refresh configure",
  summary: "let the gateway fetch a credential, and renew it ahead of its end",
  details:
    "The material (client_id, client_secret, refresh_token, service_account_json, token_url, scope, audience; role_arn, " +
    "aws_access_key_id, aws_secret_access_key, aws_session_token, aws_region, session_name, external_id) is stored apart " +
    "from the credential and never reaches a sandbox. The credential is fetched at once, unless the present one is " +
    "said to be good for a while.",
  positionals: { name: { kind: "required", summary: "the provider" } },
  flags: {
    "credential-key": text("the credential's variable", { placeholder: "KEY" }),
    strategy: value(`how: ${Object.keys(refreshStrategies).join(", ")}`, strategy, { placeholder: "STRATEGY" }),
    material: list("material that is not secret", keyValue, { placeholder: "KEY=VALUE" }),
    "secret-material-env": list("secret material from an environment variable", anyText, {
      placeholder: "KEY[=ENVVAR]",
    }),
    "secret-material-key": list("which of the --material is secret too", anyText, { placeholder: "KEY" }),
    "credential-expires-at": value("when the present credential ends, which is kept until then", moment, {
      placeholder: "TIMESTAMP",
    }),
  },
  examples: [
    {
      typed:
        "openshell provider refresh configure crm --credential-key CRM_TOKEN --strategy oauth2-client-credentials --material token_url=https://login.example.com/token --material client_id=agent --secret-material-env client_secret=CRM_SECRET",
      meaning: "A token by the client's own credentials",
    },
    {
      typed:
        "openshell provider refresh configure aws --credential-key AWS_ACCESS_KEY_ID --strategy aws-sts-assume-role --material role_arn=arn:aws:iam::123456789012:role/agents --secret-material-env aws_access_key_id=AWS_ACCESS_KEY_ID --secret-material-env aws_secret_access_key=AWS_SECRET_ACCESS_KEY",
      meaning: "Short-lived keys of a role",
    },
  ],
  action: async (context, { flags, words: { name } }) => {
    const key = flags["credential-key"];
    if (key === undefined || flags.strategy === undefined)
      throw usageFailure("--credential-key and --strategy are needed");
    const secrets = flags["secret-material-env"].map((typed) => fromEnvironment(typed, context.environment));
    const expiresAtMs = flags["credential-expires-at"];
    const gateway = await context.gateway();
    const { status = {} } = await gateway.channel.unary(configureProviderRefresh, {
      provider: name,
      credentialKey: key,
      strategy: flags.strategy,
      material: { ...Object.fromEntries(flags.material), ...Object.fromEntries(secrets) },
      secretMaterialKeys: [...secrets.map(([each]) => each), ...flags["secret-material-key"]],
      ...(expiresAtMs !== undefined && { expiresAtMs: `${expiresAtMs}` }),
      workspace: context.globals.workspace,
    });
    const view = refreshView(status);
    if (view.status === "failing") {
      const hint = "it is kept and tried again; configure it anew if the material is wrong";
      throw new CommandFailure(`${key} could not be fetched: ${view.last_error}`, { code: "unavailable", hint });
    }
    const now = expiresAtMs === undefined ? "fetched, and renewed" : "kept, and renewed";
    context.print(`${name}: ${key} is ${now} from ${view.next_refresh_at} on\n`);
    return 0;
  },
});

function strategy(typed: string) {
  const known = Object.hasOwn(refreshStrategies, typed) ? refreshStrategies[typed] : undefined;
  if (known !== undefined) return { ok: true as const, value: known };
  const isOthers = typed === "external" || typed === "static";
  const problem = isOthers
    ? `"${typed}" leaves it to others to renew the credential: give the new one with \`provider update\``
    : `must be ${Object.keys(refreshStrategies).join(", ")}, not "${typed}"`;
  return { ok: false as const, problem };
}

function fromEnvironment(
  typed: string,
  environment: Readonly<Record<string, string | undefined>>,
): [key: string, value: string] {
  const [key = "", variable = key] = typed.split("=", 2);
  const value = environment[variable];
  if (value) return [key, value];
  throw usageFailure(`the environment variable ${variable} is not set`, `export it, and name it as ${key}=VARIABLE`);
}
