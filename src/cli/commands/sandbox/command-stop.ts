import { detachedId, namedSandbox } from "../../api/find-detached.ts";
import type { Gateway } from "../../api/gateway.ts";
import { openCommand } from "../../api/open-command.ts";
import { relayFailure } from "../../api/relay.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure, usageFailure } from "../../command-failure.ts";
import { text, valueOr } from "../../flags/flag.ts";
import { oneOf, wholeNumber } from "../../flags/meanings.ts";

const signals = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGKILL"] as const;

export const command = defineCommand({
  name: "command stop",
  summary: "end commands that run without a client",
  details: "Sends a signal, waits for the end, and sends SIGKILL if there is none. Its output and exit code are kept.",
  positionals: { ids: { kind: "many", summary: "the commands, as `command list` shows them" } },
  flags: {
    name: text("the sandbox; the one used last if left out", { short: "n", placeholder: "NAME" }),
    signal: valueOr("which signal to send", oneOf(signals), {
      placeholder: "SIGNAL",
      initial: "SIGTERM",
      shownDefault: "SIGTERM",
    }),
    grace: valueOr("send SIGKILL after so many seconds", wholeNumber(0, 3600), {
      placeholder: "SECONDS",
      initial: 10,
      shownDefault: "10",
    }),
  },
  examples: [{ typed: "openshell sandbox command stop 3f9a -n demo", meaning: "End it" }],
  action: async (context, { flags, words }) => {
    if (words.ids.length === 0) throw usageFailure("no command is named", "openshell sandbox command stop ID…");
    const gateway = await context.gateway();
    const sandbox = await namedSandbox(flags.name, gateway, context);
    const ids = words.ids.map((typed) => detachedId(sandbox, typed));
    const running = sandbox.detached_commands.filter(({ ended_at }) => ended_at === null);
    for (const id of ids) {
      if (running.some((each) => each.id === id)) await end({ sandboxId: sandbox.id, id }, flags, gateway);
      context.print(`${id}\n`);
    }
    return 0;
  },
});

interface Ending {
  readonly signal: string;
  readonly grace: number;
}

/** Resolves when the command has ended. */
async function end(
  { sandboxId, id }: { readonly sandboxId: string; readonly id: string },
  { signal, grace }: Ending,
  gateway: Gateway,
): Promise<void> {
  const call = openCommand(gateway, { sandboxId, command: [], attach: id, tailLines: 1 });
  call.signal(signal);
  const timer = setTimeout(() => call.signal("SIGKILL"), grace * 1000);
  try {
    for await (const event of call.events()) if (event.kind === "exit") return;
  } catch (error) {
    throw relayFailure(error);
  } finally {
    clearTimeout(timer);
    call.cancel();
  }
  throw new CommandFailure("the connection ended before the command did", { code: "unavailable" });
}
