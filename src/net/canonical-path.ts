/**
 * The one reading of a request's path and query. Rules are matched against it and it is what is forwarded, so that no
 * spelling passes a rule and means something else at the origin. What origins are known to read differently (dot
 * segments in any disguise, empty segments, backslashes, double encoding, overlong UTF-8) is refused, not repaired.
 */

export interface CanonicalTarget {
  /**
   * What rules are matched against: every escape of a character that a segment may hold as it is, is decoded; other
   * escapes are in upper case. `/%40scope/x` is therefore `/@scope/x`: nearly every origin reads it so.
   */
  readonly path: string;
  /**
   * What is forwarded: as `path`, but escapes of reserved characters stay (RFC 3986 section 2.2: an origin may give
   * `%2B` another meaning than `+`, and some do); then the query as it came.
   */
  readonly forwarded: string;
  /** Decoded parameters in order. */
  readonly query: readonly (readonly [name: string, value: string])[];
  /** Whether the path holds `%2F`. */
  readonly hasEncodedSlash: boolean;
}

export type CanonicalTargetResult =
  | { readonly ok: true; readonly target: CanonicalTarget }
  | { readonly ok: false; readonly detail: string };

const slash = 0x2f;
const dot = 0x2e;
const percent = 0x25;
const backslash = 0x5c;
const semicolon = 0x3b;

const unreserved = characterSet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");
/** What a segment may hold unescaped (RFC 3986 section 3.3, pchar). */
const segmentCharacters = characterSet(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@",
);

function characterSet(characters: string): Uint8Array {
  const set = new Uint8Array(256);
  for (const character of characters) set[character.charCodeAt(0)] = 1;
  return set;
}

/** Makes a request target's path and query canonical. Takes printable ASCII that starts with `/`, without a fragment. */
export function canonicalTarget(pathAndQuery: string): CanonicalTargetResult {
  const mark = pathAndQuery.indexOf("?");
  const rawPath = mark === -1 ? pathAndQuery : pathAndQuery.slice(0, mark);
  const path = isPlain(rawPath) ? plainPath(rawPath) : decodedPath(rawPath);
  if (typeof path === "string") return { ok: false, detail: path };
  if (mark === -1) return { ok: true, target: { ...path, query: [] } };
  const query = parseQuery(pathAndQuery.slice(mark + 1));
  if (query === undefined) return { ok: false, detail: "the query holds an escape that is no UTF-8 text" };
  const forwarded = path.forwarded + pathAndQuery.slice(mark);
  return { ok: true, target: { path: path.path, forwarded, query, hasEncodedSlash: path.hasEncodedSlash } };
}

type CanonicalPath = Omit<CanonicalTarget, "query">;

/** Whether the path is canonical as it stands, which nearly all are. */
function isPlain(path: string): boolean {
  if (path.charCodeAt(0) !== slash) return false;
  for (let i = 1; i < path.length; i++) {
    const code = path.charCodeAt(i);
    const afterSlash = path.charCodeAt(i - 1) === slash;
    if (afterSlash && (code === slash || code === dot || code === semicolon)) return false;
    if (code !== slash && segmentCharacters[code] !== 1) return false;
  }
  return true;
}

function plainPath(path: string): CanonicalPath {
  return { path, forwarded: path, hasEncodedSlash: false };
}

/** The long way: escape by escape. A text says what is wrong. */
function decodedPath(raw: string): CanonicalPath | string {
  if (raw.charCodeAt(0) !== slash) return "the path does not start with a slash";
  let path = "";
  let forwarded = "";
  let hasEncodedSlash = false;
  for (let at = 0; at < raw.length; ) {
    const character = readCharacter(raw, at);
    if (typeof character === "string") return character;
    const { code, escaped, end } = character;
    const literal = String.fromCharCode(code);
    const escapeSequence = escaped ? raw.slice(at, end).toUpperCase() : `%${hex(code)}`;
    const fits = segmentCharacters[code] === 1 || (code === slash && !escaped);
    path += fits ? literal : escapeSequence;
    forwarded += fits && (!escaped || unreserved[code] === 1) ? literal : escapeSequence;
    hasEncodedSlash ||= code === slash && escaped;
    at = end;
  }
  // Asked of what has been decoded once: the rest of the second escape may itself have been written in escapes.
  if (isEncodedTwice(path)) return "the path is encoded twice";
  return segmentProblem(path) ?? { path, forwarded, hasEncodedSlash };
}

/** A character as it is or escaped; of an escaped one beyond ASCII, `code` is the first byte. */
interface Character {
  readonly code: number;
  readonly escaped: boolean;
  readonly end: number;
}

function readCharacter(raw: string, at: number): Character | string {
  const escaped = raw.charCodeAt(at) === percent;
  const code = escaped ? escapedByte(raw, at) : raw.charCodeAt(at);
  if (code === -1) return "the path holds a percent sign that begins no escape";
  if (code < 0x20 || code === 0x7f) return "the path holds a control character";
  if (code === backslash) return "the path holds a backslash";
  if (code < 0x80) return { code, escaped, end: at + (escaped ? 3 : 1) };
  const end = escaped ? utf8End(raw, at, code) : -1;
  return end === -1 ? "the path holds bytes that are no UTF-8 text" : { code, escaped, end };
}

/** The byte that an escape stands for, -1 if it is no escape. */
function escapedByte(raw: string, at: number): number {
  const digits = raw.slice(at + 1, at + 3);
  return /^[0-9A-Fa-f]{2}$/.test(digits) ? Number.parseInt(digits, 16) : -1;
}

/**
 * Whether some `%25` is followed by the rest of an escape, at any depth, of which a second decoding would make another path: a
 * separator, a control character, or a character that nobody has a reason to escape, such as a letter of a forbidden name.
 */
function isEncodedTwice(path: string): boolean {
  for (let at = path.indexOf("%25"); at !== -1; at = path.indexOf("%25", at + 1)) {
    let rest = at + 3;
    while (path.startsWith("25", rest)) rest += 2;
    const byte = escapedByte(path, rest - 1);
    const separates = byte === slash || byte === backslash || byte === semicolon;
    if (byte !== -1 && (separates || unreserved[byte] === 1 || byte < 0x20 || byte === 0x7f)) return true;
  }
  return false;
}

/** Where the UTF-8 sequence that starts with `first` ends, -1 if it is none (RFC 3629: shortest form, no surrogates). */
function utf8End(raw: string, at: number, first: number): number {
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  const end = at + 3 * length;
  try {
    // decodeURIComponent takes shortest forms of scalar values only, and no other function of the platform is as strict.
    return end <= raw.length && [...decodeURIComponent(raw.slice(at, end))].length === 1 ? end : -1;
  } catch {
    return -1;
  }
}

function hex(code: number): string {
  return code.toString(16).toUpperCase().padStart(2, "0");
}

/** Dot segments and empty ones, also between encoded slashes and in front of `;parameters`, which Java servers cut off. */
function segmentProblem(path: string): string | undefined {
  const segments = path.slice(1).split(/\/|%2F/);
  for (const [index, segment] of segments.entries()) {
    const end = segment.indexOf(";");
    const name = end === -1 ? segment : segment.slice(0, end);
    if (name === "." || name === "..") return "the path holds a dot segment";
    // An empty last segment is a trailing slash. One of parameters only is empty to who cuts them off.
    if (name === "" && (end !== -1 || index < segments.length - 1)) return "the path holds an empty segment";
  }
  return undefined;
}

/** Parameters as `application/x-www-form-urlencoded` has them; undefined if an escape can't be decoded. */
function parseQuery(raw: string): (readonly [string, string])[] | undefined {
  const query: (readonly [string, string])[] = [];
  for (const parameter of raw.split("&")) {
    if (parameter === "") continue;
    const equals = parameter.indexOf("=");
    const name = decodeParameter(equals === -1 ? parameter : parameter.slice(0, equals));
    const value = equals === -1 ? "" : decodeParameter(parameter.slice(equals + 1));
    if (name === undefined || value === undefined) return undefined;
    query.push([name, value]);
  }
  return query;
}

function decodeParameter(text: string): string | undefined {
  if (!text.includes("%") && !text.includes("+")) return text;
  try {
    const decoded = decodeURIComponent(text.replaceAll("+", " "));
    // What follows a NUL is there for one reader and not for another.
    return decoded.includes("\0") ? undefined : decoded;
  } catch {
    return undefined;
  }
}
