/** By which the programs of a sandbox look names up: its own supervisor is asked, and the machine has no say. */

/** resolv.conf(5). One attempt is enough: the resolver is in the same machine and answers every name. */
export const RESOLV_CONF = "nameserver 127.0.0.1\noptions timeout:2 attempts:1\n";

/** hosts(5), for a sandbox whose own name this is. */
export const hostsFile = (hostname: string): string =>
  `127.0.0.1 localhost ${hostname}\n::1 localhost ip6-localhost ip6-loopback ${hostname}\n`;
