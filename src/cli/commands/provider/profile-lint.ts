import { lintProviderProfiles } from "../../api/provider-methods.ts";
import { defineCommand } from "../../command.ts";
import { text, toggle } from "../../flags/flag.ts";
import { readProfileFiles } from "../../profile-file.ts";
import { tellDiagnostics } from "./diagnostics.ts";
import { profileScope } from "./profile-scope.ts";

export const command = defineCommand({
  name: "lint",
  summary: "check profiles without adding them",
  positionals: {},
  flags: {
    file: text("a profile as YAML", { short: "f", placeholder: "FILE" }),
    from: text("a directory of them", { placeholder: "DIR" }),
    global: toggle("as for all workspaces"),
  },
  examples: [{ typed: "openshell provider profile lint -f tickets.yaml", meaning: "Exit code 1 if it has errors" }],
  action: async (context, { flags }) => {
    const profiles = await readProfileFiles(flags.file, flags.from);
    const gateway = await context.gateway();
    const workspace = profileScope(flags, context);
    const { diagnostics = [] } = await gateway.channel.unary(lintProviderProfiles, { profiles, workspace });
    tellDiagnostics(diagnostics, context);
    context.print(`${profiles.length === 1 ? "the profile has" : `${profiles.length} profiles have`} no errors\n`);
    return 0;
  },
});
