import { addWorkspaceMember } from "../../api/workspace-methods.ts";
import { defineCommand } from "../../command.ts";
import { text, valueOr } from "../../flags/flag.ts";
import { oneOf } from "../../flags/meanings.ts";
import { requiredSubject } from "./member-subject.ts";

export const command = defineCommand({
  name: "member add",
  summary: "let somebody into the workspace, or change their role",
  details: "A user works with its sandboxes; an admin also keeps its providers, inference routes and members.",
  positionals: {},
  flags: {
    subject: text("who: the subject that `openshell whoami` shows them", { placeholder: "SUBJECT" }),
    role: valueOr("what they may do: user or admin", oneOf(["user", "admin"]), {
      placeholder: "ROLE",
      initial: "user",
      shownDefault: "user",
    }),
  },
  examples: [{ typed: "openshell workspace member add -w web --subject ann --role admin", meaning: "An admin" }],
  action: async (context, { flags }) => {
    const principalSubject = requiredSubject(flags.subject);
    const { channel } = await context.gateway();
    const role = flags.role === "admin" ? "WORKSPACE_ROLE_ADMIN" : "WORKSPACE_ROLE_USER";
    await channel.unary(addWorkspaceMember, { workspace: context.globals.workspace, principalSubject, role });
    context.print(`${principalSubject}\n`);
    return 0;
  },
});
