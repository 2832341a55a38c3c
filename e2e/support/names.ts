/**
 * The hosts of the world, in its /etc/hosts. All addresses lie on the loopback interface of the world's own network
 * namespace, which has no other, so that nothing that goes wrong can reach anybody.
 */
export const hosts = {
  /** A private address, as most tests want it: reachable for an exact host in a policy. */
  "api.example.test": ["10.77.0.1"],
  "git.example.test": ["10.77.0.2"],
  "files.example.test": ["10.77.0.3"],
  "ssh.example.test": ["10.77.0.4"],
  "other.example.test": ["10.77.0.5"],
  /** A second name on the first one's address, for tests about names. */
  "twin.example.test": ["10.77.0.1"],
  /** Servers whose certificates are not what they should be. */
  "expired.example.test": ["10.77.0.10"],
  "wrong-host.example.test": ["10.77.0.11"],
  "unknown-issuer.example.test": ["10.77.0.12"],
  /** Nothing ever listens here. */
  "nowhere.example.test": ["10.77.0.99"],
  /** Addresses of the public Internet, as far as the product can tell: what wildcards may lead to. */
  "public.example.test": ["9.77.0.1"],
  "www.public.example.test": ["9.77.0.2"],
  /** IPv6 only, and both. */
  "six.example.test": ["fd77::6"],
  "dual.example.test": ["fd77::7", "10.77.0.7"],
  /** Names that lead where no name may lead. */
  "loopback.example.test": ["127.0.0.1"],
  "metadata.example.test": ["169.254.169.254"],
  "link-local.example.test": ["169.254.7.7"],
  "half-private.example.test": ["9.77.0.8", "127.0.0.1"],
} as const satisfies Record<string, readonly [string, ...string[]]>;

export type HostName = keyof typeof hosts;

/** Not in /etc/hosts, and the world has no DNS server. */
export const unresolvedName = "unresolved.example.test";

/** What `ip -batch` must be told for the addresses above to be local. */
export const networkCommands: readonly string[] = [
  "link set lo up",
  "addr add 10.77.0.1/16 dev lo",
  "addr add 9.77.0.1/16 dev lo",
  "addr add 169.254.169.254/16 dev lo",
  "addr add fd77::6/128 dev lo nodad",
  "addr add fd77::7/128 dev lo nodad",
];

/** The text of the world's /etc/hosts. */
export function hostsFile(): string {
  const lines = Object.entries(hosts).flatMap(([name, addresses]) => addresses.map((address) => `${address} ${name}`));
  return ["127.0.0.1 localhost", "::1 localhost", ...lines, ""].join("\n");
}
