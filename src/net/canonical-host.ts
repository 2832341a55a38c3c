/**
 * The one spelling of a host. Everything that compares, resolves, dials or logs a host takes a `CanonicalHost`, so that
 * what was decided is what is reached: a policy can't be passed by writing the same host in another way.
 *
 * Addresses follow WHATWG URL (host parsing): the spellings of inet_aton, `127.1`, `0x7f000001`, `0177.0.0.1`,
 * `2130706433`, become the dotted quad, because that is what a resolver would have made of them. IPv6 is written
 * without brackets.
 */
import { domainToASCII } from "node:url";
import { addressFromBytes, type IpAddress, parseIpAddress } from "./address-class.ts";

/** A host name or address in the one spelling that is matched, resolved, dialled, injected and logged. */
export type CanonicalHost = string & { readonly __brand: "CanonicalHost" };

export type CanonicalHostResult =
  | { readonly ok: true; readonly host: CanonicalHost; readonly address?: IpAddress }
  | { readonly ok: false; readonly why: string };

/** RFC 1035 section 2.3.4, as text without the trailing dot. */
const longestName = 253;
const longestLabel = 63;
/** No name that can become a legal one is longer, and IDNA work grows with its input. */
const longestInput = 1024;

/**
 * Makes a host canonical, or says why it has no canonical form.
 * Takes a name, an IPv4 address in any spelling, or an IPv6 address with or without brackets; no port, no zone.
 */
export function canonicalHost(text: string): CanonicalHostResult {
  if (text.length === 0) return refuse("the host is empty");
  if (text.length > longestInput) return refuse("the host is too long");
  if (text.startsWith("[") || text.includes(":")) return canonicalIpv6(text);
  const ascii = asciiName(text.endsWith(".") ? text.slice(0, -1) : text);
  if (!ascii.ok) return ascii;
  const labels = ascii.name.split(".");
  const problem = nameProblem(ascii.name, labels);
  if (problem !== undefined) return refuse(problem);
  // A last label that looks like a number is never a name (WHATWG "ends in a number"): a resolver reads an address.
  if (!isNumberLike(labels.at(-1) ?? "")) return { ok: true, host: ascii.name as CanonicalHost };
  const address = parseLooseIpv4(labels);
  if (address === undefined) return refuse("the host ends in a number but is no IPv4 address");
  return { ok: true, host: hostOfAddress(address), address };
}

/** The canonical host that an address is. */
export function hostOfAddress(address: IpAddress): CanonicalHost {
  return address.text as CanonicalHost;
}

function refuse(why: string): { readonly ok: false; readonly why: string } {
  return { ok: false, why };
}

function canonicalIpv6(text: string): CanonicalHostResult {
  const bracketed = text.startsWith("[");
  if (bracketed && !text.endsWith("]")) return refuse("the bracket is not closed");
  const inner = bracketed ? text.slice(1, -1) : text;
  // A dotted quad in brackets is no IPv6 address, but `parseIpAddress` would take it.
  const address = inner.includes(":") ? parseIpAddress(inner) : undefined;
  if (address === undefined) return refuse("the host is no IPv6 address");
  return { ok: true, host: hostOfAddress(address), address };
}

type AsciiName = { readonly ok: true; readonly name: string } | { readonly ok: false; readonly why: string };

/** Lower case, and IDNA's A-labels in place of labels that are not ASCII. */
function asciiName(text: string): AsciiName {
  if (isAscii(text)) return { ok: true, name: text.toLowerCase() };
  if (/[\0- %/:?#@[\]\\^|<>\x7f]/.test(text)) return refuse("the host holds a character that no name has");
  const name = domainToASCII(text);
  const from = text.split(".");
  const to = name.split(".");
  // IDNA maps full-width letters, ideographic dots and invisible characters to plain ASCII. The result would be
  // consistent, but nobody who reads `ｅxample。com` in a log sees which host it is: only true A-labels are taken.
  const faithful =
    from.length === to.length &&
    from.every((label, index) =>
      isAscii(label) ? to[index] === label.toLowerCase() : to[index]?.startsWith("xn--") === true,
    );
  return faithful ? { ok: true, name } : refuse("the host is no valid internationalised name");
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** What is wrong with a lower-case ASCII name, if anything. */
function nameProblem(name: string, labels: readonly string[]): string | undefined {
  if (name.length > longestName) return `the host is longer than ${longestName} characters`;
  for (const label of labels) {
    if (label.length === 0) return "the host has an empty label";
    if (label.length > longestLabel) return `a label of the host is longer than ${longestLabel} characters`;
    // A hyphen at the edge is outside RFC 1123, and in front it turns a host into an option of some command.
    if (label.startsWith("-") || label.endsWith("-")) return "a label of the host begins or ends with a hyphen";
    // Underscores are outside RFC 1123 too, but are found in real names.
    if (!/^[a-z0-9_-]+$/.test(label)) return "the host holds a character that no name has";
  }
  return undefined;
}

function isNumberLike(label: string): boolean {
  return /^([0-9]+|0x[0-9a-f]*)$/.test(label);
}

/** WHATWG's IPv4 parser: one to four numbers, decimal, octal or hexadecimal, the last filling what is left. */
function parseLooseIpv4(labels: readonly string[]): IpAddress | undefined {
  if (labels.length > 4) return undefined;
  const numbers = labels.map(parseLooseNumber);
  let value = 0;
  for (const [index, number] of numbers.entries()) {
    const bytesLeft = 4 - index;
    const isLast = index === numbers.length - 1;
    const limit = isLast ? 256 ** bytesLeft : 256;
    if (number === undefined || number >= limit) return undefined;
    value += isLast ? number : number * 256 ** (bytesLeft - 1);
  }
  return addressFromBytes(Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff));
}

function parseLooseNumber(label: string): number | undefined {
  if (/^0x[0-9a-f]*$/.test(label)) return Number.parseInt(label.slice(2) || "0", 16);
  if (/^0[0-7]*$/.test(label)) return Number.parseInt(label, 8);
  if (/^[1-9][0-9]*$/.test(label)) return Number(label);
  return undefined;
}
