/**
 * Writes DER, the one encoding of ASN.1 that certificates may use; ITU-T X.690. Only what certificates need, and only
 * writing: certificates of others are read by OpenSSL.
 */

/** Tag numbers; X.680 section 8.6. */
const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

/** Tag, length and content; X.690 section 8.1. */
function element(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([tag]), lengthOctets(content.length), content]);
}

/** Short form below 128, else the number of octets and the octets, as few as possible (DER, section 10.1). */
function lengthOctets(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Buffer.from([0x80 | octets.length, ...octets]);
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return element(tags.sequence, Buffer.concat(parts));
}

/** A SET OF one element; more would have to be sorted. */
export function setOfOne(part: Uint8Array): Buffer {
  return element(tags.set, part);
}

/** TRUE. FALSE is never written: in certificates it is always a default, which DER leaves out. */
export function booleanTrue(): Buffer {
  return element(tags.boolean, Buffer.from([0xff]));
}

/** A number that is not negative, from its octets, most significant first. */
export function integer(octets: Uint8Array): Buffer {
  let start = 0;
  while (start < octets.length - 1 && octets[start] === 0) start++;
  const shortest = octets.subarray(start);
  // A first bit that is set would make it negative.
  const sign = (shortest[0] ?? 0) >= 0x80 ? [0] : [];
  return element(tags.integer, Buffer.from([...sign, ...shortest]));
}

/** A whole number of octets; in certificates all bit strings but key usage are. */
export function bitString(octets: Uint8Array, unusedBits = 0): Buffer {
  return element(tags.bitString, Buffer.from([unusedBits, ...octets]));
}

export function octetString(octets: Uint8Array): Buffer {
  return element(tags.octetString, octets);
}

/** From dotted text such as `2.5.29.17`. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const octets = [first * 40 + second, ...rest].flatMap(base128);
  return element(tags.objectIdentifier, Buffer.from(octets));
}

/** Seven bits an octet, most significant first, the top bit set on all but the last; X.690 section 8.19.2. */
function base128(value: number): number[] {
  const octets = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) octets.unshift(128 + (rest % 128));
  return octets;
}

export function utf8String(text: string): Buffer {
  return element(tags.utf8String, Buffer.from(text, "utf8"));
}

/** RFC 5280 section 4.1.2.5: UTCTime up to 2049, GeneralizedTime from 2050, always in UTC and with seconds. */
export function time(date: Date): Buffer {
  const digits = date
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replace(/[-:T]/g, "");
  const year = date.getUTCFullYear();
  return year < 2050
    ? element(tags.utcTime, Buffer.from(digits.slice(2), "latin1"))
    : element(tags.generalizedTime, Buffer.from(digits, "latin1"));
}

/** `[n]` around content that keeps its own tag. */
export function explicitContext(number: number, content: Uint8Array): Buffer {
  return element(0xa0 | number, content);
}

/** `[n]` in place of a primitive's own tag. */
export function implicitContext(number: number, content: Uint8Array): Buffer {
  return element(0x80 | number, content);
}
