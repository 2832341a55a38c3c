import { revokeSshSession } from "../../api/ssh-methods.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  name: "ssh-session revoke",
  summary: "revoke an SSH session",
  details: "Nobody connects with it any more, and a connection that breaks does not come back.",
  positionals: { id: { kind: "required", summary: "the session, as `ssh-session list` shows it" } },
  flags: {},
  examples: [{ typed: "openshell sandbox ssh-session revoke 0b1c…", meaning: "Let nobody connect with it" }],
  action: async (context, { words }) => {
    const { channel } = await context.gateway();
    await channel.unary(revokeSshSession, { sessionId: words.id });
    return 0;
  },
});
