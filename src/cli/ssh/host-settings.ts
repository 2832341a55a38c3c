/** How OpenSSH is to reach a sandbox: the settings of ssh_config(5), for its command line and as a block to keep. */
import type { CommandContext } from "../command-context.ts";
import { DEFAULT_WORKSPACE } from "../flags/global-flags.ts";

/** Between keepalives; only the relay knows when a connection is lost, and that waits for ten minutes. */
const KEEPALIVE_SECONDS = 30;
const UNANSWERED_KEEPALIVES = 22;

export interface SshHost {
  readonly sandboxName: string;
  readonly workspace: string;
  /** The gateway's name, or its address where it has none. */
  readonly gateway: { readonly name: string } | { readonly endpoint: string };
  readonly knownHostsFile: string;
}

/** What the sandbox is called in SSH. Neither name can have a dot. */
export function hostAlias(sandboxName: string, workspace = DEFAULT_WORKSPACE): string {
  return workspace === DEFAULT_WORKSPACE ? `openshell-${sandboxName}` : `openshell-${sandboxName}.${workspace}`;
}

/** Settings in the order in which they are shown, their values as ssh_config(5) wants them. */
export function hostSettings(
  host: SshHost,
  { installation }: Pick<CommandContext, "installation">,
): [string, string][] {
  const { sandboxName, workspace, gateway, knownHostsFile } = host;
  const where = "name" in gateway ? ["--gateway", gateway.name] : ["--gateway-endpoint", gateway.endpoint];
  const named = [...(workspace === DEFAULT_WORKSPACE ? [] : ["--workspace", workspace]), "--name", sandboxName];
  const proxy = [installation.node, installation.cliProgram, "ssh-proxy", ...where, ...named];
  return [
    ["User", "sandbox"],
    ["ProxyCommand", proxy.map(shellWord).join(" ").replaceAll("%", "%%")],
    // The key comes from the gateway, which knows it from the sandbox's supervisor: no question is ever asked.
    ["HostKeyAlias", hostAlias(sandboxName, workspace)],
    ["UserKnownHostsFile", `"${knownHostsFile.replaceAll("%", "%%")}"`],
    ["GlobalKnownHostsFile", "/dev/null"],
    ["StrictHostKeyChecking", "yes"],
    ["UpdateHostKeys", "no"],
    // The relay has authenticated the user; keys and passwords have nothing to add, and are not shown to a sandbox.
    ["PubkeyAuthentication", "no"],
    ["PasswordAuthentication", "no"],
    ["KbdInteractiveAuthentication", "no"],
    ["ForwardAgent", "no"],
    ["ForwardX11", "no"],
    ["ServerAliveInterval", String(KEEPALIVE_SECONDS)],
    ["ServerAliveCountMax", String(UNANSWERED_KEEPALIVES)],
  ];
}

/**
 * For a command line only: newer clients warn of a key exchange that quantum computers could break; this one never leaves
 * the relay. In a file, older ones would take the name for a mistake whenever another host is meant: IgnoreUnknown holds
 * in its own block alone.
 */
export const commandLineSettings: readonly (readonly [string, string])[] = [
  ["IgnoreUnknown", "WarnWeakCrypto"],
  ["WarnWeakCrypto", "no"],
];

/** A Host block for ~/.ssh/config. */
export function hostBlock(host: SshHost, context: Pick<CommandContext, "installation">): string {
  const lines = hostSettings(host, context).map(([name, value]) => `    ${name} ${value}\n`);
  return `Host ${hostAlias(host.sandboxName, host.workspace)}\n${lines.join("")}`;
}

/** The word as a shell reads it back. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
