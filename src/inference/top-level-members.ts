/**
 * Where the members of a JSON object lie in its bytes, so that one of them can be changed and every other byte stays what
 * the caller wrote. The text must have been found to be valid JSON; only then is skipping what lies between safe.
 */

export interface Member {
  readonly name: string;
  /** Where the name's first quote is. */
  readonly from: number;
  readonly valueFrom: number;
  readonly valueEnd: number;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const open = new Set([0x7b, 0x5b]);
const close = new Set([0x7d, 0x5d]);
const blank = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** The members of the outermost object, in order, duplicates too; those that lie deeper are part of a value. */
export function topLevelMembers(json: Buffer): readonly Member[] {
  const members: Member[] = [];
  let at = skipBlank(json, skipBlank(json, 0) + 1);
  while (json[at] === quote) {
    const from = at;
    const nameEnd = stringEnd(json, from);
    // The colon, and white space on both its sides.
    const valueFrom = skipBlank(json, skipBlank(json, nameEnd) + 1);
    const valueEnd = endOfValue(json, valueFrom);
    members.push({ name: JSON.parse(json.toString("utf8", from, nameEnd)), from, valueFrom, valueEnd });
    at = skipBlank(json, valueEnd);
    if (json[at] !== comma) break;
    at = skipBlank(json, at + 1);
  }
  return members;
}

function skipBlank(json: Buffer, from: number): number {
  let at = from;
  while (blank.has(json[at] ?? 0)) at++;
  return at;
}

/** Just behind the closing quote. */
function stringEnd(json: Buffer, from: number): number {
  let at = from + 1;
  for (;;) {
    const end = json.indexOf(quote, at);
    if (end === -1) return json.length;
    let slashes = 0;
    while (json[end - 1 - slashes] === backslash) slashes++;
    if (slashes % 2 === 0) return end + 1;
    at = end + 1;
  }
}

function endOfValue(json: Buffer, from: number): number {
  let at = from;
  let depth = 0;
  while (at < json.length) {
    const byte = json[at] ?? 0;
    if (byte === quote) {
      at = stringEnd(json, at);
      if (depth === 0) return at;
      continue;
    }
    if (close.has(byte)) {
      // At depth 0 it closes the object that the value, a number or a word, is in.
      if (depth === 0) return trimmedEnd(json, at);
      if (--depth === 0) return at + 1;
    } else if (open.has(byte)) depth++;
    else if (byte === comma && depth === 0) return trimmedEnd(json, at);
    at++;
  }
  return at;
}

function trimmedEnd(json: Buffer, end: number): number {
  let at = end;
  while (blank.has(json[at - 1] ?? 0)) at--;
  return at;
}
