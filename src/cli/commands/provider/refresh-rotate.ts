import { rotateProviderCredential } from "../../api/provider-methods.ts";
import { refreshView } from "../../api/refresh-view.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure, usageFailure } from "../../command-failure.ts";
import { text } from "../../flags/flag.ts";

export const command = defineCommand({
  name: "refresh rotate",
  summary: "renew a credential now",
  positionals: { name: { kind: "required", summary: "the provider" } },
  flags: { "credential-key": text("which one", { placeholder: "KEY" }) },
  examples: [
    { typed: "openshell provider refresh rotate crm --credential-key CRM_TOKEN", meaning: "Before it is due" },
  ],
  action: async (context, { flags, words: { name } }) => {
    const credentialKey = flags["credential-key"];
    if (credentialKey === undefined) throw usageFailure("--credential-key is missing");
    const gateway = await context.gateway();
    const { workspace } = context.globals;
    const asked = { provider: name, credentialKey, workspace };
    const { status = {} } = await gateway.channel.unary(rotateProviderCredential, asked);
    const view = refreshView(status);
    if (view.status !== "ok") {
      throw new CommandFailure(`${credentialKey} could not be renewed: ${view.last_error}`, { code: "unavailable" });
    }
    context.print(`${name}: ${credentialKey} was renewed\n`);
    return 0;
  },
});
