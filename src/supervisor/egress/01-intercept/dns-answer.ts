/**
 * What policy DNS answers to a query. Pure but for the addresses it gives out, and never the word of anyone outside: what
 * a name is, is asked only when a connection to it has been allowed.
 */
import { type CanonicalHost, canonicalHost } from "../../../net/canonical-host.ts";
import { parseIpv4Bytes, parseIpv6Bytes } from "../../../net/ip-bytes.ts";
import { type DnsAnswer, type DnsQuery, nameData, type Rcode, recordType } from "./dns-message.ts";
import type { SyntheticAddresses } from "./synthetic-addresses.ts";

/**
 * Seconds. An address stands for its name as long as the sandbox lives, so that this only bounds what a program that was
 * moved out of one (a snapshot, a container image with a cache) could believe.
 */
const answerTtl = 60;

const loopbackIpv4 = Uint8Array.of(127, 0, 0, 1);
const loopbackIpv6 = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

export interface DnsNames {
  readonly synthetic: SyntheticAddresses;
  /** The sandbox's own host name, which is its loopback. */
  readonly hostname: string;
  /** Whether the sandbox has IPv6; an address that can't be connected to would only cost programs time. */
  readonly ipv6: boolean;
}

/** The answer to a well-formed query. */
export function answerQuery(query: DnsQuery, names: DnsNames): DnsAnswer {
  if (query.edns !== undefined && query.edns.version !== 0) return withoutRecords("BADVERS");
  if (!query.isInternet) return withoutRecords("REFUSED");
  if (query.type === recordType.ptr) return answerPointer(query, names);
  const host = hostOf(query);
  if (host === undefined) return withoutRecords("NXDOMAIN");
  if (query.type === recordType.aaaa && !names.ipv6) return withoutRecords("NOERROR");
  const wanted = query.type === recordType.a ? "ipv4" : "ipv6";
  // No other type exists for any name. An HTTPS or SVCB record would move clients to ECH, which hides the name.
  if (query.type !== recordType.a && query.type !== recordType.aaaa) return withoutRecords("NOERROR");
  if (isLoopbackName(host, names)) return withRecord(wanted === "ipv4" ? loopbackIpv4 : loopbackIpv6);
  const pair = names.synthetic.addressesFor(host);
  return pair === undefined ? withoutRecords("REFUSED") : withRecord(pair[wanted]);
}

/** The name asked for; undefined if it is none that a connection could be decided on. */
function hostOf(query: DnsQuery): CanonicalHost | undefined {
  // A dot inside a label would turn one name into another.
  if (query.labels.length === 0 || query.labels.some((label) => !isPlainLabel(label))) return undefined;
  const canonical = canonicalHost(query.labels.join("."));
  // An address has no address; programs do not ask for one.
  return canonical.ok && canonical.address === undefined ? canonical.host : undefined;
}

function isPlainLabel(label: string): boolean {
  return /^[\x21-\x2d\x2f-\x7e]+$/.test(label);
}

/** RFC 6761 section 6.3: localhost and all below it are loopback, whatever a resolver thinks. */
function isLoopbackName(host: CanonicalHost, names: DnsNames): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === names.hostname.toLowerCase();
}

/** The name of a synthetic address; for loopback `localhost`; others do not exist. */
function answerPointer(query: DnsQuery, names: DnsNames): DnsAnswer {
  const address = pointedAddress(query.labels.map((label) => label.toLowerCase()));
  if (address === undefined) return withoutRecords("NXDOMAIN");
  const isLoopback = Buffer.compare(address, loopbackIpv4) === 0 || Buffer.compare(address, loopbackIpv6) === 0;
  const name = isLoopback ? "localhost" : names.synthetic.nameOf(address);
  return name === undefined ? withoutRecords("NXDOMAIN") : withRecord(nameData(name));
}

/** The address in `4.3.2.1.in-addr.arpa` (RFC 1035 section 3.5) or 32 digits before `ip6.arpa` (RFC 3596). */
function pointedAddress(labels: readonly string[]): Uint8Array | undefined {
  const digits = labels.slice(0, -2).reverse();
  const zone = labels.slice(-2).join(".");
  if (zone === "in-addr.arpa") return parseIpv4Bytes(digits.join("."));
  if (zone !== "ip6.arpa" || digits.length !== 32 || digits.some((digit) => digit.length !== 1)) return undefined;
  return parseIpv6Bytes(digits.join("").replace(/....(?=.)/g, "$&:"));
}

function withRecord(data: Uint8Array): DnsAnswer {
  return { rcode: "NOERROR", records: [data], ttl: answerTtl };
}

function withoutRecords(rcode: Rcode): DnsAnswer {
  return { rcode, records: [], ttl: answerTtl };
}
