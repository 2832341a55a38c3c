import { getProvider, getProviderProfile, updateProvider } from "../../api/provider-methods.ts";
import { defineCommand } from "../../command.ts";
import { usageFailure } from "../../command-failure.ts";
import { list, toggle } from "../../flags/flag.ts";
import { keyValue } from "../../flags/meanings.ts";
import { credential, existingConfig, existingCredentials, readCredentials } from "../../secret-input.ts";
import { timestamp } from "./timestamp.ts";

export const command = defineCommand({
  name: "update",
  summary: "change credentials and settings of a provider",
  details: "In force in every sandbox that it is attached to from the next request on. What is not named stays.",
  positionals: { name: { kind: "required", summary: "the provider" } },
  flags: {
    "from-existing": toggle("take credentials and settings from the variables that programs of this type look for"),
    credential: list("a credential to set; `KEY=` removes it", credential, { placeholder: "KEY[=VALUE]" }),
    config: list("a setting to set; `KEY=` removes it", keyValue, { placeholder: "KEY=VALUE" }),
    "credential-expires-at": list("when a credential ends, as RFC 3339", timestamp, { placeholder: "KEY=TIMESTAMP" }),
  },
  examples: [
    { typed: "openshell provider update github --credential GITHUB_TOKEN", meaning: "Another token, now" },
    { typed: "openshell provider update s3 --config AWS_REGION=eu-central-1", meaning: "Another region" },
  ],
  action: async (context, { flags, words: { name } }) => {
    const gateway = await context.gateway();
    const { workspace } = context.globals;
    const removed = flags.credential.filter(({ value }) => value === "").map(({ key }) => key);
    const given = flags.credential.filter(({ value }) => value !== "");
    const existing: Record<string, string> = {};
    if (flags["from-existing"]) {
      const { provider = {} } = await gateway.channel.unary(getProvider, { name, workspace });
      const { profile = {} } = await gateway.channel.unary(getProviderProfile, { id: provider.type ?? "", workspace });
      given.push(...existingCredentials(profile, context.environment));
      Object.assign(existing, existingConfig(profile, context));
    }
    const expiries = Object.fromEntries(flags["credential-expires-at"].map(([key, ms]) => [key, `${ms}`]));
    const config = { ...existing, ...Object.fromEntries(flags.config) };
    const credentials = {
      ...(await readCredentials(given, context)),
      ...Object.fromEntries(removed.map((key) => [key, ""])),
    };
    if ([credentials, config, expiries].every((change) => Object.keys(change).length === 0)) {
      throw usageFailure("nothing to change", "say what with --credential, --config or --credential-expires-at");
    }
    await gateway.channel.unary(updateProvider, {
      provider: { metadata: { name }, credentials, config },
      credentialExpiresAtMs: expiries,
      workspace,
    });
    context.print(`${name}\n`);
    return 0;
  },
});
