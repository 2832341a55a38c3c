import { getProvider, updateProvider } from "../../api/provider-methods.ts";
import { providerView } from "../../api/provider-view.ts";
import { defineCommand } from "../../command.ts";
import { usageFailure } from "../../command-failure.ts";
import { list } from "../../flags/flag.ts";
import { credential, readCredentials } from "../../secret-input.ts";

export const command = defineCommand({
  name: "rotate",
  summary: "replace the credential of a provider by a new one",
  details: "Sandboxes keep the placeholder that they have; the next request carries the new value.",
  positionals: { name: { kind: "required", summary: "the provider" } },
  flags: {
    credential: list("which one; the only one if left out", credential, { placeholder: "KEY[=VALUE]" }),
  },
  examples: [
    { typed: "openshell provider rotate github", meaning: "Asks for the new value" },
    { typed: "pass show github | openshell provider rotate github", meaning: "From standard input" },
  ],
  action: async (context, { flags, words: { name } }) => {
    const gateway = await context.gateway();
    const { workspace } = context.globals;
    const { provider = {} } = await gateway.channel.unary(getProvider, { name, workspace });
    const keys = providerView(provider).credential_keys;
    const [only] = keys;
    if (flags.credential.length === 0 && (only === undefined || keys.length > 1)) {
      throw usageFailure(
        `${name} has ${keys.length} credentials`,
        `say which one with --credential: ${keys.join(", ")}`,
      );
    }
    const given = flags.credential.length === 0 ? [{ key: only ?? "", value: undefined }] : flags.credential;
    const unknown = given.find(({ key }) => !keys.includes(key));
    if (unknown !== undefined)
      throw usageFailure(`${name} has no credential ${unknown.key}`, `it has ${keys.join(", ")}`);
    const credentials = await readCredentials(given, context);
    await gateway.channel.unary(updateProvider, { provider: { metadata: { name }, credentials }, workspace });
    context.print(`${name}: ${Object.keys(credentials).join(", ")} replaced\n`);
    return 0;
  },
});
