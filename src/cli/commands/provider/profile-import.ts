import { importProviderProfiles } from "../../api/provider-methods.ts";
import { defineCommand } from "../../command.ts";
import { text, toggle } from "../../flags/flag.ts";
import { readProfileFiles } from "../../profile-file.ts";
import { tellDiagnostics } from "./diagnostics.ts";
import { profileScope } from "./profile-scope.ts";

export const command = defineCommand({
  name: "import",
  summary: "add profiles of one's own",
  positionals: {},
  flags: {
    file: text("a profile as YAML", { short: "f", placeholder: "FILE" }),
    from: text("a directory of them", { placeholder: "DIR" }),
    global: toggle("for all workspaces"),
  },
  examples: [{ typed: "openshell provider profile import -f tickets.yaml", meaning: "Add it, or replace it" }],
  action: async (context, { flags }) => {
    const profiles = await readProfileFiles(flags.file, flags.from);
    const gateway = await context.gateway();
    const workspace = profileScope(flags, context);
    const answer = await gateway.channel.unary(importProviderProfiles, { profiles, workspace });
    tellDiagnostics(answer.diagnostics ?? [], context);
    for (const { id = "" } of answer.profiles ?? []) context.print(`${id}\n`);
    return 0;
  },
});
