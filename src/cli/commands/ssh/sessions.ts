import { listSshSessions } from "../../api/ssh-methods.ts";
import { defineCommand } from "../../command.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";

export const command = defineCommand({
  name: "ssh-session list",
  summary: "list the SSH sessions of a sandbox, or of all",
  details:
    "Each is a permission to connect for a day. A connection that `openshell` opens has one of its own, and revokes it in the end.",
  positionals: { name: { kind: "optional", summary: "the sandbox; all if left out" } },
  flags: { output: outputFlag },
  examples: [{ typed: "openshell sandbox ssh-session list demo", meaning: "Who may connect" }],
  action: async (context, { flags, words }) => {
    const { channel } = await context.gateway();
    const { sessions = [] } = await channel.unary(listSshSessions, { sandboxId: words.name ?? "" });
    const now = Date.now();
    const views = sessions.map((session) => {
      const expires = Number(session.expiresAtMs ?? 0);
      return {
        id: session.metadata?.id ?? "",
        sandbox_id: session.sandboxId ?? "",
        user: session.user ?? "",
        created_at: new Date(Number(session.metadata?.createdAtMs ?? 0)).toISOString(),
        expires_at: new Date(expires).toISOString(),
        state: session.revoked ? "revoked" : expires <= now ? "expired" : "good",
      };
    });
    if (flags.output !== "table") context.print(await structured(flags.output, views));
    else if (views.length === 0) context.note("no SSH sessions");
    else {
      const columns = [
        { title: "ID", cell: (view: (typeof views)[number]) => view.id },
        { title: "USER", cell: (view: (typeof views)[number]) => view.user },
        { title: "STATE", cell: (view: (typeof views)[number]) => view.state },
        { title: "EXPIRES", cell: (view: (typeof views)[number]) => view.expires_at },
      ];
      context.print(table(columns, views));
    }
    return 0;
  },
});
