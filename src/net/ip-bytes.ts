/**
 * IP addresses between text and bytes. Hand-written rather than by regular expression or by `node:net`: both of those
 * say whether a text is an address, neither says which, and two readings of one address are how filters are passed.
 */

/** Lengths by which the two families are told apart. */
export const ipv4Bytes = 4;
export const ipv6Bytes = 16;

/** `::ffff:0:0/96`: IPv4 in an IPv6 socket (RFC 4291 section 2.5.5.2). The kernel dials the IPv4 address. */
const mappedPrefix: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** Value of one hexadecimal digit, or -1. */
function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  if (code >= 65 && code <= 70) return code - 55;
  return -1;
}

/**
 * A strict dotted quad. Leading zeros are refused, since some programs read them as octal and others do not; the
 * lenient spellings are the business of `canonicalHost`.
 */
export function parseIpv4Bytes(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== ipv4Bytes) return undefined;
  const bytes = new Uint8Array(ipv4Bytes);
  for (const [index, part] of parts.entries()) {
    const value = parseOctet(part);
    if (value === undefined) return undefined;
    bytes[index] = value;
  }
  return bytes;
}

function parseOctet(part: string): number | undefined {
  if (part.length === 0 || part.length > 3 || (part.length > 1 && part.charCodeAt(0) === 48)) return undefined;
  let value = 0;
  for (let i = 0; i < part.length; i++) {
    const digit = part.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value <= 255 ? value : undefined;
}

/** RFC 4291 section 2.2, all three forms. No zone (`%eth0`): a zone names an interface of this machine. */
export function parseIpv6Bytes(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [headText = "", tailText] = halves;
  // The dotted quad may only stand at the very end, so the head may hold one only if there is no `::`.
  const head = parseGroups(headText, tailText === undefined);
  if (head === undefined) return undefined;
  if (tailText === undefined) return head.length === ipv6Bytes ? Uint8Array.from(head) : undefined;
  const tail = parseGroups(tailText, true);
  // `::` stands for at least one group.
  if (tail === undefined || head.length + tail.length > ipv6Bytes - 2) return undefined;
  const bytes = new Uint8Array(ipv6Bytes);
  bytes.set(head, 0);
  bytes.set(tail, ipv6Bytes - tail.length);
  return bytes;
}

/** Colon-separated groups as bytes; the empty text is no group. */
function parseGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    if (mayEndInIpv4 && index === groups.length - 1 && group.includes(".")) {
      const quad = parseIpv4Bytes(group);
      if (quad === undefined) return undefined;
      bytes.push(...quad);
      continue;
    }
    if (group.length === 0 || group.length > 4) return undefined;
    let value = 0;
    for (let i = 0; i < group.length; i++) {
      const digit = hexDigit(group.charCodeAt(i));
      if (digit < 0) return undefined;
      value = value * 16 + digit;
    }
    bytes.push(value >> 8, value & 0xff);
  }
  return bytes;
}

/** The bytes of an IPv4 address inside an IPv4-mapped IPv6 address; any other address as it is. */
export function unmapIpv4(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== ipv6Bytes || !startsWith(bytes, mappedPrefix)) return bytes;
  return bytes.slice(mappedPrefix.length);
}

/** Whether the first bytes are these. */
export function startsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  return prefix.every((byte, index) => bytes[index] === byte);
}

/** Canonical text: dotted quad, or RFC 5952. */
export function formatIpBytes(bytes: Uint8Array): string {
  if (bytes.length === ipv4Bytes) return bytes.join(".");
  const groups: number[] = [];
  for (let i = 0; i < ipv6Bytes; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  const gap = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  // RFC 5952 section 4.2.2: a single zero group is written out.
  if (gap.length < 2) return hex.join(":");
  return `${hex.slice(0, gap.start).join(":")}::${hex.slice(gap.start + gap.length).join(":")}`;
}

/** RFC 5952 section 4.2.3: the longest run of zero groups, the first of equals. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i <= groups.length; i++) {
    if (groups[i] === 0) continue;
    if (i - start > best.length) best = { start, length: i - start };
    start = i + 1;
  }
  return best;
}
