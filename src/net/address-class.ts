/**
 * What kind of place an IP address is. The guard refuses by this class, so everything here errs towards the stricter
 * answer: an address that carries another address is as bad as the worse of the two, and IPv6 space that nobody has
 * allocated is reserved, not public.
 */
import {
  formatIpBytes,
  ipv4Bytes,
  ipv6Bytes,
  parseIpv4Bytes,
  parseIpv6Bytes,
  startsWith,
  unmapIpv4,
} from "./ip-bytes.ts";

/** An IP address in canonical text: dotted quad, or RFC 5952 with IPv4-mapped addresses turned into IPv4. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly text: string;
}

/**
 * The part after `guard.` of the reason code that refuses it, but for two: `public` is not refused, and `documentation`,
 * which is refused as `reserved`, is what closed networks give to machines that must not be mistaken for real ones.
 */
export type AddressClass = "public" | "private" | "documentation" | "reserved" | "link_local" | "loopback" | "metadata";

/** A block of addresses; the bits after `prefix` are zero. A single address is a block of full length. */
export interface Cidr {
  readonly family: 4 | 6;
  readonly prefix: number;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Mildest first: when two classes apply, the later one wins. */
const severity: readonly AddressClass[] = [
  "public",
  "private",
  "documentation",
  "reserved",
  "link_local",
  "loopback",
  "metadata",
];

/** The IANA special-purpose address registries (RFC 6890), and where the clouds keep their metadata services. */
const classTable: readonly (readonly [AddressClass, readonly string[]])[] = [
  [
    "metadata",
    [
      "169.254.169.254/32", // nearly every cloud
      "169.254.170.2/32", // container credentials
      "169.254.170.23/32", // pod identity
      "100.100.100.200/32", // lies in 100.64/10, which allowed_ips can open
      "168.63.129.16/32", // lies in public space
      "192.0.0.192/32",
      "fd00:ec2::254/128",
      "fd00:ec2::23/128",
      "fd20:ce::254/128",
      "fd00:c1::a9fe:a9fe/128",
    ],
  ],
  ["loopback", ["127.0.0.0/8", "::1/128"]],
  ["link_local", ["169.254.0.0/16", "fe80::/10"]],
  ["private", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"]],
  // RFC 5737, RFC 3849, RFC 9637.
  ["documentation", ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"]],
  [
    "reserved",
    [
      "0.0.0.0/8", // Linux connects 0.0.0.0 to loopback
      "192.0.0.0/24",
      "192.88.99.0/24", // 6to4 relays, RFC 7526
      "198.18.0.0/15", // benchmarking; also where synthetic addresses come from
      "224.0.0.0/4",
      "240.0.0.0/4",
      "2001:2::/48", // benchmarking; synthetic addresses too
      "2001:10::/28", // ORCHID: not routed
      "2001:20::/28",
    ],
  ],
];

const blocks: readonly { readonly kind: AddressClass; readonly cidr: Cidr }[] = classTable.flatMap(([kind, texts]) =>
  texts.map((text) => {
    const cidr = parseCidr(text);
    if (cidr === undefined) throw new Error(`address table: ${text}`);
    return { kind, cidr };
  }),
);

/** Where IPv6 forms carry an IPv4 address: a prefix, and where the four bytes are read. */
const carriers: readonly {
  readonly prefix: readonly number[];
  readonly at: readonly number[];
  readonly xor: number;
}[] = [
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], at: [12, 13, 14, 15], xor: 0 }, // IPv4-compatible, RFC 4291
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0], at: [12, 13, 14, 15], xor: 0 }, // translated, RFC 2765
  { prefix: [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0], at: [12, 13, 14, 15], xor: 0 }, // NAT64, RFC 6052
  { prefix: [0, 0x64, 0xff, 0x9b, 0, 1], at: [12, 13, 14, 15], xor: 0 }, // local NAT64, RFC 8215: as a /96,
  { prefix: [0, 0x64, 0xff, 0x9b, 0, 1], at: [6, 7, 9, 10], xor: 0 }, // and as a /48, which skips byte 8
  { prefix: [0x20, 0x02], at: [2, 3, 4, 5], xor: 0 }, // 6to4, RFC 3056
  { prefix: [0x20, 0x01, 0, 0], at: [4, 5, 6, 7], xor: 0 }, // Teredo's server, RFC 4380
  { prefix: [0x20, 0x01, 0, 0], at: [12, 13, 14, 15], xor: 0xff }, // and its client, inverted
];

const nat64Prefix = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];

/**
 * Strict text of an address, without brackets and without zone: a dotted quad without leading zeros, or RFC 4291.
 * IPv4-mapped IPv6 comes back as IPv4, since that is what would be dialled. Undefined for anything else.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  const bytes = parseBytes(text);
  return bytes === undefined ? undefined : addressFromBytes(bytes);
}

/** The address that 4 or 16 bytes (network order) stand for; the same canonical form as `parseIpAddress`. */
export function addressFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length !== ipv4Bytes && bytes.length !== ipv6Bytes) throw new RangeError("an address has 4 or 16 bytes");
  const plain = unmapIpv4(bytes);
  return { family: plain.length === ipv4Bytes ? 4 : 6, text: formatIpBytes(plain) };
}

/** The strictest class that applies. Throws if `address` was not made by this module. */
export function classifyAddress(address: IpAddress): AddressClass {
  const bytes = parseBytes(address.text);
  if (bytes === undefined) throw new TypeError("not an address");
  return classifyBytes(unmapIpv4(bytes));
}

function classifyBytes(bytes: Uint8Array): AddressClass {
  let worst: AddressClass = "public";
  for (const { kind, cidr } of blocks) {
    if (blockContains(cidr, bytes)) worst = worse(worst, kind);
  }
  if (bytes.length === ipv4Bytes) return worst;
  // Global unicast is 2000::/3. The rest is listed above, is NAT64, or has not been given out.
  if (worst === "public" && (bytes[0] ?? 0) >> 5 !== 1 && !startsWith(bytes, nat64Prefix)) worst = "reserved";
  for (const carrier of carriers) {
    if (startsWith(bytes, carrier.prefix)) {
      worst = worse(worst, classifyBytes(Uint8Array.from(carrier.at, (index) => (bytes[index] ?? 0) ^ carrier.xor)));
    }
  }
  return isIsatap(bytes) ? worse(worst, classifyBytes(bytes.slice(12))) : worst;
}

/** RFC 5214: the interface identifier is `[02]00:5efe` and an IPv4 address, under any prefix. */
function isIsatap(bytes: Uint8Array): boolean {
  return ((bytes[8] ?? 0) & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;
}

function worse(a: AddressClass, b: AddressClass): AddressClass {
  return severity.indexOf(a) >= severity.indexOf(b) ? a : b;
}

/**
 * `address/prefix`, or an address alone. Bits after the prefix are cleared rather than refused, since files written for
 * the published OpenShell hold such blocks. Undefined if it is neither.
 */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf("/");
  const written = parseBytes(slash < 0 ? text : text.slice(0, slash));
  if (written === undefined) return undefined;
  const prefix = slash < 0 ? written.length * 8 : parsePrefix(text.slice(slash + 1), written.length * 8);
  if (prefix === undefined) return undefined;
  const cleared = written.map((byte, index) => byte & prefixMask(prefix - index * 8));
  // A block of IPv4-mapped addresses must contain the IPv4 addresses that those are turned into.
  const bytes = prefix >= 96 ? unmapIpv4(cleared) : cleared;
  const length = prefix - (cleared.length - bytes.length) * 8;
  const family = bytes.length === ipv4Bytes ? 4 : 6;
  return { family, prefix: length, bytes, text: `${formatIpBytes(bytes)}/${length}` };
}

function parsePrefix(text: string, longest: number): number | undefined {
  if (!/^(0|[1-9][0-9]{0,2})$/.test(text)) return undefined;
  const prefix = Number(text);
  return prefix <= longest ? prefix : undefined;
}

/** The byte whose first `bits` bits are set; any number, also outside 0 … 8. */
function prefixMask(bits: number): number {
  if (bits >= 8) return 0xff;
  return bits <= 0 ? 0 : (0xff << (8 - bits)) & 0xff;
}

/** Whether the address lies in the block. IPv4 and IPv6 never contain each other. */
export function cidrContains(cidr: Cidr, address: IpAddress): boolean {
  if (cidr.family !== address.family) return false;
  const bytes = parseBytes(address.text);
  return bytes !== undefined && blockContains(cidr, bytes);
}

function blockContains(cidr: Cidr, bytes: Uint8Array): boolean {
  if (cidr.bytes.length !== bytes.length) return false;
  for (let index = 0; index * 8 < cidr.prefix; index++) {
    const difference = (bytes[index] ?? 0) ^ (cidr.bytes[index] ?? 0);
    if ((difference & prefixMask(cidr.prefix - index * 8)) !== 0) return false;
  }
  return true;
}

/** Whether the two blocks share an address. */
export function cidrOverlaps(a: Cidr, b: Cidr): boolean {
  if (a.family !== b.family) return false;
  const [wide, narrow] = a.prefix <= b.prefix ? [a, b] : [b, a];
  return blockContains(wide, narrow.bytes);
}

function parseBytes(text: string): Uint8Array | undefined {
  return text.includes(":") ? parseIpv6Bytes(text) : parseIpv4Bytes(text);
}
