/**
 * Heads of HTTP/1.1 messages from raw bytes (RFC 9112). Strict on purpose: request smuggling lives on the difference
 * between two parsers' ideas of one head, so that a head on which two parsers could differ is malformed here.
 *
 * Node's own parser is not used: it joins and drops duplicate fields, and forgives what has to be refused.
 */
import { type Field, isToken, parseFields } from "./http1-fields.ts";

/** The four forms of a request target (RFC 9112 section 3.2). `pathAndQuery` starts with `/`. */
export type RequestTarget =
  | { readonly form: "origin"; readonly pathAndQuery: string }
  | {
      readonly form: "absolute";
      /** In lower case. */
      readonly scheme: string;
      readonly authority: string;
      readonly pathAndQuery: string;
    }
  | { readonly form: "authority"; readonly authority: string }
  | { readonly form: "asterisk" };

export interface RequestHead {
  readonly method: string;
  readonly target: RequestTarget;
  /** HTTP/1.`minor`. */
  readonly minor: 0 | 1;
  readonly fields: readonly Field[];
}

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly minor: 0 | 1;
  readonly fields: readonly Field[];
}

export type HeadResult<Head> =
  | { readonly kind: "incomplete" }
  /** `length`: how many bytes the head took, with the empty line at its end. */
  | { readonly kind: "head"; readonly head: Head; readonly length: number }
  | { readonly kind: "malformed"; readonly detail: string };

/** Twice what the common servers take: room for big cookies and tokens, and nothing that could fill memory. */
export const maxHeadBytes = 64 * 1024;

const headEnd = Buffer.from("\r\n\r\n");
const lf = 0x0a;
const cr = 0x0d;

type HeadText =
  | { readonly kind: "text"; readonly text: string; readonly lineEnd: number }
  | { readonly kind: "incomplete" }
  | { readonly kind: "malformed"; readonly detail: string };

/** Finds the head's end and gives it as latin1 text, of which the first line ends at `lineEnd`. */
function headText(bytes: Buffer): HeadText {
  const end = bytes.indexOf(headEnd);
  const length = end === -1 ? bytes.length : end + 4;
  if (length > maxHeadBytes) return malformed(`the head is longer than ${maxHeadBytes} bytes`);
  if (end === -1) {
    // Lines that end in a bare LF would otherwise be waited on until the time is up.
    return hasBareLineFeed(bytes) ? malformed("a line ends in a bare line feed") : { kind: "incomplete" };
  }
  const text = bytes.toString("latin1", 0, length);
  const lineEnd = text.indexOf("\r\n");
  if (lineEnd === 0) return malformed("an empty line in front of the head");
  return { kind: "text", text, lineEnd };
}

function hasBareLineFeed(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(lf); at !== -1; at = bytes.indexOf(lf, at + 1)) {
    if (bytes[at - 1] !== cr) return true;
  }
  return false;
}

function malformed(detail: string): { readonly kind: "malformed"; readonly detail: string } {
  return { kind: "malformed", detail };
}

/**
 * Reads a request head from the start of `bytes`. Never throws.
 * A head is given only if its Host is there as RFC 9112 section 3.2 wants it; framing is for `requestFraming` to say.
 */
export function parseRequestHead(bytes: Buffer): HeadResult<RequestHead> {
  const found = headText(bytes);
  if (found.kind !== "text") return found;
  const { text, lineEnd } = found;
  const firstSpace = text.indexOf(" ");
  const secondSpace = text.indexOf(" ", firstSpace + 1);
  if (firstSpace === -1 || firstSpace > lineEnd || secondSpace === -1 || secondSpace > lineEnd) {
    return malformed("the request line has not three parts");
  }
  const method = text.slice(0, firstSpace);
  if (!isToken(method)) return malformed("the method is no token");
  const minor = minorVersion(text.slice(secondSpace + 1, lineEnd));
  if (minor === undefined) return malformed("the HTTP version is neither 1.0 nor 1.1");
  const target = parseTarget(method, text.slice(firstSpace + 1, secondSpace));
  if (typeof target === "string") return malformed(target);
  const parsed = parseFields(text, { from: lineEnd + 2, end: text.length - 2 });
  if (!parsed.ok) return malformed(parsed.detail);
  const hostProblem = problemWithHost(parsed.fields, minor);
  if (hostProblem !== undefined) return malformed(hostProblem);
  return { kind: "head", head: { method, target, minor, fields: parsed.fields }, length: text.length };
}

/** Reads a response head from the start of `bytes`. Never throws. */
export function parseResponseHead(bytes: Buffer): HeadResult<ResponseHead> {
  const found = headText(bytes);
  if (found.kind !== "text") return found;
  const { text, lineEnd } = found;
  const minor = minorVersion(text.slice(0, 8));
  if (minor === undefined) return malformed("the HTTP version is neither 1.0 nor 1.1");
  const status = parseStatus(text, lineEnd);
  if (status === undefined) return malformed("the status line is malformed");
  const reason = text.slice(Math.min(13, lineEnd), lineEnd);
  for (let i = 0; i < reason.length; i++) {
    const code = reason.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return malformed("a control character in the status line");
  }
  const parsed = parseFields(text, { from: lineEnd + 2, end: text.length - 2 });
  if (!parsed.ok) return malformed(parsed.detail);
  return { kind: "head", head: { status, reason, minor, fields: parsed.fields }, length: text.length };
}

function minorVersion(text: string): 0 | 1 | undefined {
  if (text === "HTTP/1.1") return 1;
  return text === "HTTP/1.0" ? 0 : undefined;
}

/** Three digits between the spaces; the second space may be missing when the reason is (many servers leave it out). */
function parseStatus(text: string, lineEnd: number): number | undefined {
  if (text.charCodeAt(8) !== 0x20 || lineEnd < 12) return undefined;
  if (lineEnd > 12 && text.charCodeAt(12) !== 0x20) return undefined;
  let status = 0;
  for (let at = 9; at < 12; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    status = status * 10 + digit;
  }
  return status >= 100 && status <= 599 ? status : undefined;
}

/** What keeps a text from being a request target in any version of HTTP; undefined if nothing does. */
export function problemWithTarget(target: string): string | undefined {
  for (let i = 0; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f) return "the request target is not printable ASCII";
    if (code === 0x23) return "the request target has a fragment";
  }
  return target === "" ? "the request target is empty" : undefined;
}

/** The target in the form that the method asks for, or what is wrong with it. */
function parseTarget(method: string, target: string): RequestTarget | string {
  const problem = problemWithTarget(target);
  if (problem !== undefined) return problem;
  if (method === "CONNECT") {
    if (/[/?@]/.test(target)) return "CONNECT takes a host and a port only";
    return { form: "authority", authority: target };
  }
  if (target.startsWith("/")) return { form: "origin", pathAndQuery: target };
  if (target === "*") return method === "OPTIONS" ? { form: "asterisk" } : "only OPTIONS may ask for *";
  return parseAbsolute(target);
}

function parseAbsolute(target: string): RequestTarget | string {
  const separator = target.indexOf("://");
  if (separator === -1 || !/^[A-Za-z][A-Za-z0-9+.-]*$/.test(target.slice(0, separator))) {
    return "the request target is neither a path nor an absolute URI";
  }
  const afterScheme = target.slice(separator + 3);
  const authorityLength = afterScheme.search(/[/?]/);
  const authority = authorityLength === -1 ? afterScheme : afterScheme.slice(0, authorityLength);
  if (authority === "") return "the request target has no host";
  // `http://allowed.example@other.example/` is the oldest way to show one host and mean another.
  if (authority.includes("@")) return "the request target holds user information";
  const rest = authorityLength === -1 ? "" : afterScheme.slice(authorityLength);
  const pathAndQuery = rest.startsWith("/") ? rest : `/${rest}`;
  return { form: "absolute", scheme: target.slice(0, separator).toLowerCase(), authority, pathAndQuery };
}

function problemWithHost(fields: readonly Field[], minor: 0 | 1): string | undefined {
  let hosts = 0;
  for (const field of fields) if (field.lower === "host") hosts++;
  if (hosts > 1) return "more than one Host field";
  return hosts === 0 && minor === 1 ? "no Host field" : undefined;
}
