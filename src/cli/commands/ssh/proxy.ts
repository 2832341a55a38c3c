import { askAgain } from "../../api/ask-again.ts";
import type { Gateway } from "../../api/gateway.ts";
import { openGateway } from "../../api/open-gateway.ts";
import { openRelay, relayFailure } from "../../api/relay.ts";
import { idOrName } from "../../api/sandbox-id.ts";
import { createSshSession, revokeSshSession } from "../../api/ssh-methods.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { usageFailure } from "../../command-failure.ts";
import { text } from "../../flags/flag.ts";
import { knownHostsFile, rememberHostKey } from "../../ssh/known-hosts.ts";

/** How long the gateway gets to hear that a session is over; one that is away has it expire. */
const REVOKE_TIMEOUT_MS = 5_000;

/** How long a connection that ends gets to end on both sides. */
const LAST_WORDS_MS = 1_000;

/** What `ssh` ends its proxy with, and what a terminal that goes does. */
const endings = ["SIGHUP", "SIGTERM", "SIGINT"] as const;

export const command = defineCommand({
  name: "ssh-proxy",
  summary: "carry an SSH connection into a sandbox, on standard input and output",
  details: "For ProxyCommand of ssh_config(5); `sandbox ssh-config` writes it. Goes on when the gateway restarts.",
  positionals: {},
  flags: {
    name: text("the sandbox", { placeholder: "NAME" }),
    "sandbox-id": text("the sandbox, by its identifier", { placeholder: "ID" }),
    token: text("of an SSH session; one is made for this connection otherwise", { placeholder: "TOKEN" }),
    "gateway-name": text("the gateway, as with --gateway", { placeholder: "NAME" }),
    server: text("the gateway, as with --gateway-endpoint", { placeholder: "URL" }),
  },
  examples: [{ typed: "openshell ssh-proxy --name demo", meaning: "As a ProxyCommand" }],
  action: async (context, { flags }) => {
    if (flags["sandbox-id"] === undefined && flags.name === undefined)
      throw usageFailure("name the sandbox with --name or --sandbox-id");
    const gateway = await meantGateway(context, { name: flags["gateway-name"], endpoint: flags.server });
    using _ = gateway.channel;
    const { workspace } = context.globals;
    const sandbox = flags["sandbox-id"] ?? (await idOrName(flags.name ?? "", workspace, gateway));
    using ending = endingOf(context);
    const { stdin, stdout } = context;
    const carrying = { stdin, stdout, ending: ending.signal };
    if (flags.token !== undefined) return await carry({ sandboxId: sandbox, token: flags.token }, gateway, carrying);
    // A session that nobody has heard of ends by itself.
    const session = await askAgain(gateway, (channel) => channel.unary(createSshSession, { sandboxId: sandbox }));
    const { sandboxId = "", sandboxName = "", token = "", hostKey = "" } = session;
    const named = { sandboxName, workspace };
    rememberHostKey(named, hostKey, knownHostsFile(named, gateway, context));
    try {
      return await carry({ sandboxId, token }, gateway, carrying);
    } finally {
      await revoke(token, gateway);
    }
  },
});

interface AskedGateway {
  readonly name: string | undefined;
  readonly endpoint: string | undefined;
}

/** The gateway by this command's own flags, else by those of every command. */
async function meantGateway(context: CommandContext, { name, endpoint }: AskedGateway): Promise<Gateway> {
  const { globals } = context;
  return await openGateway({
    ...context,
    globals: {
      ...globals,
      gateway: name ?? globals.gateway,
      "gateway-endpoint": endpoint ?? globals["gateway-endpoint"],
    },
  });
}

/**
 * Aborted by what asks this process to end. Listened to from before the session is made until after it is revoked: `ssh`
 * closes its pipes and then sends a SIGHUP, which must not end the revocation that the closed pipes have begun.
 */
function endingOf({ signals }: CommandContext): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const end = () => controller.abort();
  for (const name of endings) signals.on(name, end);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const name of endings) signals.off(name, end);
    },
  };
}

interface Carried {
  readonly sandboxId: string;
  readonly token: string;
}

interface CarryContext extends Pick<CommandContext, "stdin" | "stdout"> {
  readonly ending: AbortSignal;
}

/** Bytes both ways until either side ends. Throws RpcError, CommandFailure. */
async function carry(
  { sandboxId, token }: Carried,
  gateway: Gateway,
  { stdin, stdout, ending }: CarryContext,
): Promise<number> {
  const relay = openRelay(gateway, { sandboxId, target: { kind: "ssh" }, authorizationToken: token });
  const closed = new Promise<void>((resolve, reject) => relay.once("error", reject).once("close", resolve));
  // `ssh` says that it leaves before it ends its proxy; what it has said is to arrive.
  const leave = () => {
    stdin.unpipe(relay);
    relay.end();
    setTimeout(() => relay.destroy(), LAST_WORDS_MS).unref();
  };
  ending.addEventListener("abort", leave, { once: true });
  stdout.once("error", leave);
  relay.once("end", leave);
  stdin.pipe(relay).pipe(stdout, { end: false });
  if (ending.aborted) leave();
  try {
    await closed;
  } catch (error) {
    throw relayFailure(error);
  } finally {
    ending.removeEventListener("abort", leave);
    stdout.off("error", leave);
  }
  return 0;
}

async function revoke(token: string, gateway: Gateway): Promise<void> {
  try {
    const { channel } = await gateway.reconnect();
    using _ = channel;
    await channel.unary(revokeSshSession, { token }, { signal: AbortSignal.timeout(REVOKE_TIMEOUT_MS) });
  } catch {
    // The gateway is away: the session ends by itself.
  }
}
