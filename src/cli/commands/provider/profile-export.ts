import { getProviderProfile } from "../../api/provider-methods.ts";
import { defineCommand } from "../../command.ts";
import { toggle, valueOr } from "../../flags/flag.ts";
import { oneOf } from "../../flags/meanings.ts";
import { structured } from "../../output/structured.ts";
import { profileDocument } from "../../profile-file.ts";
import { profileScope } from "./profile-scope.ts";

export const command = defineCommand({
  name: "export",
  summary: "show a profile as a file that can be changed and imported",
  positionals: { id: { kind: "required", summary: "the type" } },
  flags: {
    output: valueOr("yaml or json", oneOf(["yaml", "json"]), {
      short: "o",
      placeholder: "FORMAT",
      initial: "yaml",
      shownDefault: "yaml",
    }),
    global: toggle("one of all workspaces"),
  },
  examples: [
    { typed: "openshell provider profile export github > my-github.yaml", meaning: "To start one's own from" },
  ],
  action: async (context, { flags, words: { id } }) => {
    const gateway = await context.gateway();
    const { profile = {} } = await gateway.channel.unary(getProviderProfile, {
      id,
      workspace: profileScope(flags, context),
    });
    context.print(await structured(flags.output, profileDocument(profile)));
    return 0;
  },
});
