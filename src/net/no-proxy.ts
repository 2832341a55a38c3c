/** `NO_PROXY`: which destinations are reached without the proxy. Its forms are those that curl and Go agree on. */
import { type Cidr, cidrContains, type IpAddress, parseCidr, parseIpAddress } from "./address-class.ts";
import { parseAuthority } from "./authority.ts";
import type { CanonicalHost } from "./canonical-host.ts";

export interface ProxyCandidate {
  readonly host: CanonicalHost;
  readonly port: number;
  /** What the host is known to lead to; empty if nobody has looked. */
  readonly addresses: readonly IpAddress[];
}

export type NoProxyTest = (candidate: ProxyCandidate) => boolean;

/**
 * One entry: `*`, a name (which stands for its subdomains too), `.name` or `*.name` (for those alone), an address or a
 * block, each but `*` and blocks perhaps with a port. Undefined if it is none of these.
 */
export function compileNoProxy(entry: string): NoProxyTest | undefined {
  if (entry === "*") return () => true;
  const block = parseCidr(entry);
  if (block !== undefined) return ({ host, addresses }) => addressesOf(host, addresses).some(inBlock(block));
  const bare = entry.replace(/^\*?\./, "");
  const authority = parseAuthority(bare);
  if (!authority.ok) return undefined;
  const { host: named, port: wanted } = authority;
  const isAddress = parseIpAddress(named) !== undefined;
  if (isAddress && bare !== entry) return undefined;
  const matches = (host: CanonicalHost) =>
    (host === named && bare === entry) || (!isAddress && host.endsWith(`.${named}`));
  return ({ host, port, addresses }) => {
    if (wanted !== undefined && wanted !== port) return false;
    return isAddress ? addressesOf(host, addresses).some(({ text }) => text === named) : matches(host);
  };
}

function addressesOf(host: CanonicalHost, addresses: readonly IpAddress[]): readonly IpAddress[] {
  const literal = parseIpAddress(host);
  return literal === undefined ? addresses : [literal];
}

function inBlock(block: Cidr): (address: IpAddress) => boolean {
  return (address) => cidrContains(block, address);
}
