/**
 * Field lines of HTTP/1.1 (RFC 9112 section 5), read strictly: what two programs could read in two ways is not read at
 * all. The same parser serves requests, responses and trailers, so that there is one opinion of what a header is.
 */

/** A field line, in the spelling and order in which it came. */
export interface Field {
  readonly name: string;
  /** The name in lower case, to compare with. */
  readonly lower: string;
  /** Without surrounding white space. One character stands for one byte (latin1). */
  readonly value: string;
}

export type FieldsResult =
  | { readonly ok: true; readonly fields: readonly Field[] }
  | { readonly ok: false; readonly detail: string };

/** More than any program sends; keeps the quadratic cost of looking names up small. */
export const maxFields = 256;

const cr = 0x0d;
const lf = 0x0a;
const colon = 0x3a;
const space = 0x20;
const tab = 0x09;

/** Bytes of a token (RFC 9110 section 5.6.2). */
const tokenBytes = byteSet("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
/** Bytes of a field value: tab, printable ASCII and obs-text (RFC 9110 section 5.5). */
const valueBytes = valueByteSet();

function byteSet(characters: string): Uint8Array {
  const set = new Uint8Array(256);
  for (const character of characters) set[character.charCodeAt(0)] = 1;
  return set;
}

function valueByteSet(): Uint8Array {
  const set = new Uint8Array(256).fill(1, space);
  set[tab] = 1;
  set[0x7f] = 0;
  return set;
}

/** Whether the text is a token, such as a method or a field name. */
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (tokenBytes[text.charCodeAt(i)] !== 1) return false;
  return text.length > 0;
}

/** Whether the text is a field's value: no control characters, and no white space around it. */
export function isFieldValue(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (valueBytes[text.charCodeAt(i)] !== 1) return false;
  return trimmed(text, 0, text.length).length === text.length;
}

/**
 * Reads field lines from `from` up to `end` of a latin1 text, where `end` is just behind the last line's CRLF.
 * One pass; slices of the text are all that is allocated.
 */
export function parseFields(text: string, range: { readonly from: number; readonly end: number }): FieldsResult {
  const fields: Field[] = [];
  let at = range.from;
  while (at < range.end) {
    if (fields.length === maxFields) return { ok: false, detail: `more than ${maxFields} header fields` };
    let nameEnd = at;
    while (tokenBytes[text.charCodeAt(nameEnd)] === 1) nameEnd++;
    if (nameEnd === at || text.charCodeAt(nameEnd) !== colon)
      return { ok: false, detail: nameProblem(text, at, nameEnd) };
    const lineEnd = valueEnd(text, nameEnd + 1, range.end);
    if (text.charCodeAt(lineEnd) !== cr || text.charCodeAt(lineEnd + 1) !== lf) {
      return { ok: false, detail: valueProblem(text.charCodeAt(lineEnd)) };
    }
    const name = text.slice(at, nameEnd);
    fields.push({ name, lower: name.toLowerCase(), value: trimmed(text, nameEnd + 1, lineEnd) });
    at = lineEnd + 2;
  }
  return { ok: true, fields };
}

/** The first byte from `from` that no value holds: a carriage return, if all is well. */
function valueEnd(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && valueBytes[text.charCodeAt(at)] === 1) at++;
  return at;
}

/** The text between without optional white space, which is space and tab only: `trim()` would take more. */
function trimmed(text: string, from: number, end: number): string {
  let first = from;
  let last = end;
  while (first < last && isBlank(text.charCodeAt(first))) first++;
  while (last > first && isBlank(text.charCodeAt(last - 1))) last--;
  return text.slice(first, last);
}

function isBlank(code: number): boolean {
  return code === space || code === tab;
}

function nameProblem(text: string, at: number, nameEnd: number): string {
  const code = text.charCodeAt(nameEnd);
  if (nameEnd === at) {
    if (isBlank(code)) return "a header field is folded over two lines";
    return code === colon ? "a header field has no name" : "a header field's name is no token";
  }
  return isBlank(code) ? "white space before a header field's colon" : "a header field's name is no token";
}

function valueProblem(code: number): string {
  if (code === lf) return "a line ends in a bare line feed";
  return code === cr ? "a bare carriage return in a header field" : "a control character in a header field";
}

/**
 * A field's name as CGI and its heirs know it (WSGI, Rack, PHP), who make one variable of `X-Method` and `X_Method`: what a
 * rule or a check knows by the one spelling must not pass in the other.
 */
export function foldedName(lower: string): string {
  return lower.includes("_") ? lower.replaceAll("_", "-") : lower;
}

/** The value of the first field of that name (given in lower case). */
export function fieldValue(fields: readonly Field[], lower: string): string | undefined {
  for (const field of fields) if (field.lower === lower) return field.value;
  return undefined;
}

/** The comma-separated items of every field of that name, in lower case, without empty ones. */
export function fieldTokens(fields: readonly Field[], lower: string): readonly string[] {
  const tokens: string[] = [];
  for (const field of fields) {
    if (field.lower !== lower) continue;
    for (const item of field.value.split(",")) {
      const token = item.trim().toLowerCase();
      if (token !== "") tokens.push(token);
    }
  }
  return tokens;
}
