import { detachedId, namedSandbox } from "../../api/find-detached.ts";
import { defineCommand } from "../../command.ts";
import { execSession } from "../../exec-session.ts";
import { text, valueOr } from "../../flags/flag.ts";
import { wholeNumber } from "../../flags/meanings.ts";

export const command = defineCommand({
  name: "command attach",
  summary: "show the output of a command that runs without a client",
  details:
    "From its beginning, as far as that is kept (4 to 8 MiB of each), and on until it ends; the exit code is the command's. " +
    "Ctrl-C ends the view, not the command.",
  positionals: { id: { kind: "required", summary: "the command, as `command list` shows it, or its id's beginning" } },
  flags: {
    name: text("the sandbox; the one used last if left out", { short: "n", placeholder: "NAME" }),
    tail: valueOr("begin with the newest lines, so many of them; 0: with all", wholeNumber(0, 1_000_000), {
      placeholder: "LINES",
      initial: 0,
      shownDefault: "0",
    }),
  },
  examples: [
    { typed: "openshell sandbox command attach 3f9a -n demo", meaning: "All of it" },
    { typed: "openshell sandbox command attach 3f9a --tail 20", meaning: "What it is doing now" },
  ],
  action: async (context, { flags, words }) => {
    const gateway = await context.gateway();
    const sandbox = await namedSandbox(flags.name, gateway, context);
    const attach = detachedId(sandbox, words.id);
    const request = { sandboxId: sandbox.id, command: [], attach, tailLines: flags.tail, tty: false };
    return await execSession(request, gateway, context);
  },
});
