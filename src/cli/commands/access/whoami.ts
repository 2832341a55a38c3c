import { getCurrentUser } from "../../api/methods.ts";
import { defineCommand } from "../../command.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { printable } from "../../output/printable.ts";
import { structured } from "../../output/structured.ts";
import { fields } from "../../output/table.ts";

export const command = defineCommand({
  name: "whoami",
  summary: "show the user that the gateway knows you as",
  positionals: {},
  flags: { output: outputFlag },
  examples: [{ typed: "openshell whoami", meaning: "Who am I" }],
  action: async (context, { flags }) => {
    const { channel } = await context.gateway();
    const user = await channel.unary(getCurrentUser, {});
    const view = {
      subject: user.subject ?? "",
      display_name: user.displayName ?? "",
      roles: user.roles ?? [],
      scopes: user.scopes ?? [],
      identity_provider: user.identityProvider ?? "",
    };
    const text = fields([
      ["Subject", printable(view.subject)],
      ["Name", printable(view.display_name)],
      ["Provider", printable(view.identity_provider)],
      ["Roles", printable(view.roles.join(", "))],
      ["Scopes", printable(view.scopes.join(", "))],
    ]);
    context.print(flags.output === "table" ? text : await structured(flags.output, view));
    return 0;
  },
});
