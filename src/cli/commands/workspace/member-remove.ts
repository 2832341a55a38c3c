import { removeWorkspaceMember } from "../../api/workspace-methods.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure } from "../../command-failure.ts";
import { text } from "../../flags/flag.ts";
import { requiredSubject } from "./member-subject.ts";

export const command = defineCommand({
  name: "member remove",
  summary: "take somebody out of the workspace",
  positionals: {},
  flags: { subject: text("who", { placeholder: "SUBJECT" }) },
  examples: [{ typed: "openshell workspace member remove -w web --subject ann", meaning: "By the next request" }],
  action: async (context, { flags }) => {
    const principalSubject = requiredSubject(flags.subject);
    const { workspace } = context.globals;
    const { channel } = await context.gateway();
    const { removed } = await channel.unary(removeWorkspaceMember, { workspace, principalSubject });
    if (!removed) {
      throw new CommandFailure(`"${principalSubject}" is no member of workspace "${workspace}"`, { code: "not_found" });
    }
    context.print(`${principalSubject}\n`);
    return 0;
  },
});
