/** From an allowed host to its addresses. The only place where a name is looked up for real. */
import { lookup } from "node:dns/promises";
import { type IpAddress, parseIpAddress } from "../../../net/address-class.ts";
import type { CanonicalHost } from "../../../net/canonical-host.ts";

/** Every address of a name, in the order to try; empty if there are none. May throw: that is no address, too. */
export type Resolver = (host: CanonicalHost) => Promise<readonly IpAddress[]>;

/** The name under which a sandbox reaches the machine of its gateway. */
export const gatewayMachineHost = "host.openshell.internal";

/** The addresses that it stands for. */
const gatewayMachineAddresses: readonly IpAddress[] = [
  { family: 4, text: "127.0.0.1" },
  { family: 6, text: "::1" },
];

/**
 * How long a look-up may take. The system's resolver has limits of its own (5 s twice for each server, resolv.conf(5));
 * it can't be interrupted, but nobody waits for it any longer.
 */
const resolveTimeoutMs = 10_000;

/** Addresses of one name that are used; the rest of a longer list would never be reached. */
const addressesLimit = 32;

/**
 * Looks names up as the machine does, /etc/hosts included, in its order of preference (RFC 6724). A name that is being
 * looked up is not looked up again at the same time: each look-up occupies one of a few threads that files are read on too.
 */
export function systemResolver(): Resolver {
  const running = new Map<CanonicalHost, Promise<readonly IpAddress[]>>();
  return (host) => {
    const same = running.get(host);
    if (same !== undefined) return same;
    const looking = lookUp(host).finally(() => running.delete(host));
    running.set(host, looking);
    return looking;
  };
}

async function lookUp(host: CanonicalHost): Promise<readonly IpAddress[]> {
  const found = await lookup(host, { all: true, order: "verbatim" });
  return found.map(({ address, family }) => parseIpAddress(address) ?? unreadable(address, family));
}

/**
 * An address with a zone (`fe80::1%eth0`), which only link-local addresses have, stands for its link. As it must not be
 * dropped (then the rest would pass), it is given as the unspecified address, which no rule permits.
 */
function unreadable(address: string, family: number): IpAddress {
  const withoutZone = parseIpAddress(address.split("%", 1)[0] ?? "");
  return withoutZone ?? { family: family === 6 ? 6 : 4, text: family === 6 ? "::" : "0.0.0.0" };
}

/** The addresses to check for a host: itself if it is an address. Undefined if it can't be resolved in time. */
export async function resolveHost(host: CanonicalHost, resolver: Resolver): Promise<readonly IpAddress[] | undefined> {
  const literal = parseIpAddress(host);
  if (literal !== undefined) return [literal];
  if (host === gatewayMachineHost) return gatewayMachineAddresses;
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, resolveTimeoutMs, undefined);
  try {
    const found = await Promise.race([resolver(host), late]);
    return found === undefined || found.length === 0 ? undefined : distinct(found);
  } catch {
    // ENOTFOUND, EAI_AGAIN and the like. The client is told the same for each: it does not resolve.
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

function distinct(addresses: readonly IpAddress[]): readonly IpAddress[] {
  const seen = new Map(addresses.map((address) => [address.text, address]));
  return [...seen.values()].slice(0, addressesLimit);
}
