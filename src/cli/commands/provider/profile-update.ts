import { getProviderProfile, updateProviderProfiles } from "../../api/provider-methods.ts";
import { defineCommand } from "../../command.ts";
import { text, toggle } from "../../flags/flag.ts";
import { readProfileFiles } from "../../profile-file.ts";
import { tellDiagnostics } from "./diagnostics.ts";
import { profileScope } from "./profile-scope.ts";

export const command = defineCommand({
  name: "update",
  summary: "replace an imported profile",
  details: "In force in every sandbox that has a provider of this type.",
  positionals: { id: { kind: "required", summary: "the type" } },
  flags: {
    file: text("the profile as YAML", { short: "f", placeholder: "FILE" }),
    global: toggle("one of all workspaces"),
  },
  examples: [{ typed: "openshell provider profile update tickets -f tickets.yaml", meaning: "Other endpoints" }],
  action: async (context, { flags, words: { id } }) => {
    const [profile] = await readProfileFiles(flags.file, undefined);
    const gateway = await context.gateway();
    const workspace = profileScope(flags, context);
    const { profile: current = {} } = await gateway.channel.unary(getProviderProfile, { id, workspace });
    const answer = await gateway.channel.unary(updateProviderProfiles, {
      ...(profile && { profile }),
      id,
      expectedResourceVersion: current.resourceVersion ?? "0",
      workspace,
    });
    tellDiagnostics(answer.diagnostics ?? [], context);
    context.print(`${id}\n`);
    return 0;
  },
});
