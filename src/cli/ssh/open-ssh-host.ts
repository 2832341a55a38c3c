/** Makes a sandbox reachable for OpenSSH: finds it, and writes its host key down. */
import type { Gateway } from "../api/gateway.ts";
import { rememberSandbox, sandboxName } from "../api/last-sandbox.ts";
import { getSandbox } from "../api/methods.ts";
import { waitForStart } from "../api/wait-for-phase.ts";
import type { CommandContext } from "../command-context.ts";
import type { SshHost } from "./host-settings.ts";
import { knownHostsFile, rememberHostKey } from "./known-hosts.ts";

export interface OpenedHost extends SshHost {
  readonly sandboxId: string;
}

/** The sandbox named, or the one used last; waits until it runs. Throws CommandFailure, RpcError. */
export async function openSshHost(named: string | undefined, context: CommandContext): Promise<OpenedHost> {
  const gateway = await context.gateway();
  const name = sandboxName(named, gateway, context);
  const { workspace } = context.globals;
  const { sandbox = {} } = await gateway.channel.unary(getSandbox, { name, workspace });
  rememberSandbox(name, gateway, context);
  const { status } = await waitForStart(sandbox, gateway);
  const host = { sandboxName: name, workspace };
  const file = knownHostsFile(host, gateway, context);
  if (status?.sshHostKey) rememberHostKey(host, status.sshHostKey, file);
  return {
    sandboxId: sandbox.metadata?.id ?? "",
    ...host,
    gateway: shownGateway(gateway),
    knownHostsFile: file,
  };
}

function shownGateway({ name, endpoint }: Gateway): SshHost["gateway"] {
  return name === undefined ? { endpoint } : { name };
}
