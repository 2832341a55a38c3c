/**
 * Where a message's body ends (RFC 9112 section 6). The one place that reads Content-Length and Transfer-Encoding, for
 * requests and responses alike. What could be framed in two ways is refused, although the RFC has a rule for it: the
 * next hop need not know the rule, and that is how requests are smuggled.
 */
import type { Field } from "./http1-fields.ts";
import type { RequestHead, ResponseHead } from "./http1-head.ts";

export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" }
  /** Responses only: the body ends with the connection. */
  | { readonly kind: "until-close" };

export type FramingResult =
  | { readonly ok: true; readonly framing: Framing }
  | { readonly ok: false; readonly detail: string };

const none: FramingResult = { ok: true, framing: { kind: "none" } };
const chunked: FramingResult = { ok: true, framing: { kind: "chunked" } };
const untilClose: FramingResult = { ok: true, framing: { kind: "until-close" } };

/** How the body of a request is framed. */
export function requestFraming(head: Pick<RequestHead, "fields" | "minor">): FramingResult {
  const declared = declaredFraming(head.fields, head.minor);
  if (typeof declared === "string") return { ok: false, detail: declared };
  return declared ?? none;
}

/** How the body of a response is framed; `method` is that of the request it answers. */
export function responseFraming(head: ResponseHead, method: string): FramingResult {
  const declared = declaredFraming(head.fields, head.minor);
  if (typeof declared === "string") return { ok: false, detail: declared };
  if (method === "HEAD" || head.status < 200 || head.status === 204 || head.status === 304) return none;
  return declared ?? untilClose;
}

/** What the fields say; undefined if they say nothing, a text if they can't be trusted. */
function declaredFraming(fields: readonly Field[], minor: 0 | 1): FramingResult | string | undefined {
  const lengths: string[] = [];
  const codings: string[] = [];
  for (const { lower, value } of fields) {
    if (lower === "content-length") lengths.push(value);
    else if (lower === "transfer-encoding") codings.push(value);
    // CGI and WSGI make one variable of both spellings.
    else if (lower === "content_length" || lower === "transfer_encoding") {
      return "a field that some servers read as the body's framing";
    }
  }
  const [length] = lengths;
  const [coding] = codings;
  // Even if they agree: which of them a next hop drops, or whether it joins them to a list, can't be known.
  if (lengths.length > 1) return "more than one Content-Length field";
  if (codings.length > 1) return "more than one Transfer-Encoding field";
  if (coding === undefined) return length === undefined ? undefined : parseLength(length);
  if (length !== undefined) return "both Content-Length and Transfer-Encoding";
  if (minor === 0) return "Transfer-Encoding in HTTP/1.0";
  return coding === "chunked" ? chunked : "a Transfer-Encoding other than chunked";
}

/** Digits only: no sign, no list, no white space within, and nothing beyond what a number holds exactly. */
function parseLength(text: string): FramingResult | string {
  const length = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(length)) return "a Content-Length that is no number";
  return { ok: true, framing: { kind: "length", length } };
}
