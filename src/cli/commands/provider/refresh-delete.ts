import { deleteProviderRefresh } from "../../api/provider-methods.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure, usageFailure } from "../../command-failure.ts";
import { text } from "../../flags/flag.ts";

export const command = defineCommand({
  name: "refresh delete",
  summary: "renew a credential no longer; the present one stays until it ends",
  positionals: { name: { kind: "required", summary: "the provider" } },
  flags: { "credential-key": text("which one", { placeholder: "KEY" }) },
  examples: [
    { typed: "openshell provider refresh delete crm --credential-key CRM_TOKEN", meaning: "And forget its material" },
  ],
  action: async (context, { flags, words: { name } }) => {
    const credentialKey = flags["credential-key"];
    if (credentialKey === undefined) throw usageFailure("--credential-key is missing");
    const gateway = await context.gateway();
    const asked = { provider: name, credentialKey, workspace: context.globals.workspace };
    const { deleted } = await gateway.channel.unary(deleteProviderRefresh, asked);
    if (!deleted) throw new CommandFailure(`${name} has no way to renew ${credentialKey}`, { code: "not_found" });
    context.print(`${name}: ${credentialKey} is renewed no longer\n`);
    return 0;
  },
});
