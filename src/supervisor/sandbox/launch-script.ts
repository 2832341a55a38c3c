/**
 * The shell script that turns an ordinary process into a sandbox's first one. It runs as root of a fresh user namespace
 * that owns the new network and mount namespaces and nothing else: sets up the network, mounts the overlays, then becomes
 * bubblewrap, which goes on into a second user namespace that owns nothing of the first.
 *
 * A shell, and not a program of ours: this runs before every sandbox, and dash starts in less than a millisecond.
 */
import { captureRules, linkCommands, linkCommands6 } from "./capture-rules.ts";

export interface OverlayMount {
  /** mount(8) options for the overlay file system. */
  readonly options: string;
  readonly target: string;
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The script's text; bubblewrap's arguments are the script's own. */
export function launchScript(overlays: readonly OverlayMount[], groups: readonly string[] = []): string {
  const mounts = overlays.map(
    ({ options, target }) => `mount -t overlay -o ${quote(options)} overlay ${quote(target)}`,
  );
  return [
    "set -e",
    // Before anything else is started: whatever is started afterwards is in the same groups. 0 is the writer itself.
    ...groups.map((file) => `echo 0 > ${quote(file)}`),
    // The network's owner may let programs without privilege listen on any port of it: it is theirs alone.
    "echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start",
    `ip -batch - <<'COMMANDS'\n${linkCommands}\nCOMMANDS`,
    `if [ -e /proc/net/if_inet6 ]; then ip -batch - <<'COMMANDS'\n${linkCommands6}\nCOMMANDS\nfi`,
    `nft -f - <<'RULES'${captureRules}RULES`,
    ...mounts,
    'exec bwrap "$@"',
  ].join("\n");
}
