import type { ProviderCredentialRefreshStrategyJson } from "../../../gen/openshell/v1/provider_pb.ts";
import { configureProviderRefresh } from "../../api/provider-methods.ts";
import { refreshView } from "../../api/refresh-view.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure, usageFailure } from "../../command-failure.ts";
import { anyText, list, text, unavailable, value } from "../../flags/flag.ts";
import { keyValue } from "../../flags/meanings.ts";

const strategies: Readonly<Record<string, ProviderCredentialRefreshStrategyJson>> = {
  "oauth2-refresh-token": "PROVIDER_CREDENTIAL_REFRESH_STRATEGY_OAUTH2_REFRESH_TOKEN",
  "oauth2-client-credentials": "PROVIDER_CREDENTIAL_REFRESH_STRATEGY_OAUTH2_CLIENT_CREDENTIALS",
  "google-service-account-jwt": "PROVIDER_CREDENTIAL_REFRESH_STRATEGY_GOOGLE_SERVICE_ACCOUNT_JWT",
  "aws-sts-assume-role": "PROVIDER_CREDENTIAL_REFRESH_STRATEGY_AWS_STS_ASSUME_ROLE",
};

export const command = defineCommand({
  name: "refresh configure",
  summary: "let the gateway fetch a credential, and renew it ahead of its end",
  details:
    "The material (client_id, client_secret, refresh_token, service_account_json, token_url, scope, audience; role_arn, " +
    "aws_access_key_id, aws_secret_access_key, aws_session_token, aws_region, session_name, external_id) is stored apart " +
    "from the credential and never reaches a sandbox. The credential is fetched at once.",
  positionals: { name: { kind: "required", summary: "the provider" } },
  flags: {
    "credential-key": text("the credential's variable", { placeholder: "KEY" }),
    strategy: value(`how: ${Object.keys(strategies).join(", ")}`, strategy, { placeholder: "STRATEGY" }),
    material: list("material that is not secret", keyValue, { placeholder: "KEY=VALUE" }),
    "secret-material-env": list("secret material from an environment variable", anyText, {
      placeholder: "KEY[=ENVVAR]",
    }),
    "secret-material-key": list("which of the --material is secret too", anyText, { placeholder: "KEY" }),
    "credential-expires-at": unavailable("when the present credential ends", "a new one is fetched at once"),
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
    const gateway = await context.gateway();
    const { status = {} } = await gateway.channel.unary(configureProviderRefresh, {
      provider: name,
      credentialKey: key,
      strategy: flags.strategy,
      material: { ...Object.fromEntries(flags.material), ...Object.fromEntries(secrets) },
      secretMaterialKeys: [...secrets.map(([each]) => each), ...flags["secret-material-key"]],
      workspace: context.globals.workspace,
    });
    const view = refreshView(status);
    if (view.status !== "ok") {
      const hint = "it is kept and tried again; configure it anew if the material is wrong";
      throw new CommandFailure(`${key} could not be fetched: ${view.last_error}`, { code: "unavailable", hint });
    }
    context.print(`${name}: ${key} is fetched, and renewed from ${view.next_refresh_at} on\n`);
    return 0;
  },
});

function strategy(typed: string) {
  const known = Object.hasOwn(strategies, typed) ? strategies[typed] : undefined;
  if (known !== undefined) return { ok: true as const, value: known };
  return { ok: false as const, problem: `must be ${Object.keys(strategies).join(", ")}, not "${typed}"` };
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
