/**
 * Follows a body through its framing (RFC 9112 sections 6 and 7), byte by byte exact and without copying. Bytes are
 * forwarded as they came, once checked: there is one grammar for a chunk (hexadecimal digits, CRLF, data, CRLF), so
 * that what the next hop reads is what was read here. Chunk extensions are refused: nobody uses them but smugglers.
 */

import { foldedName, parseFields } from "./http1-fields.ts";
import type { Framing } from "./http1-framing.ts";

export type BodyProgress =
  /** `taken` bytes belong to the body and may be forwarded; show the others again, with more behind them. */
  | { readonly kind: "more"; readonly taken: number }
  /** The body ended after `taken` bytes. */
  | { readonly kind: "end"; readonly taken: number }
  | { readonly kind: "malformed"; readonly detail: string };

/** Told each piece of content, without the framing; the piece is valid only during the call. */
export type PayloadListener = (payload: Buffer) => void;

/** A chunk's length in digits, leading zeros and all: enough for any length that a number holds exactly. */
const maxSizeDigits = 13;
/** Trailers are checksums and a status. */
export const maxTrailerBytes = 8 * 1024;

const cr = 0x0d;
const lf = 0x0a;
const headEnd = Buffer.from("\r\n\r\n");

/**
 * Fields that must not come after the body (RFC 9110 section 6.5.1): a recipient that merges trailers into the header
 * would be told another framing, host, identity, method or path than the one that was decided on.
 */
const forbiddenTrailers: ReadonlySet<string> = new Set([
  "authorization",
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "cookie",
  "expect",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  "x-original-url",
  "x-rewrite-url",
]);

export function isForbiddenTrailer(lower: string): boolean {
  return forbiddenTrailers.has(foldedName(lower));
}

/** One body's place within its framing. */
export class BodyFollower {
  readonly #untilClose: boolean;
  readonly #chunked: boolean;
  readonly #onPayload: PayloadListener | undefined;
  /** Bytes of content until the body, or the chunk, ends. */
  #remaining: number;
  #phase: "size" | "data" | "data-end" | "trailer" | "end";
  #payloadBytes = 0;

  constructor(framing: Framing, onPayload?: PayloadListener) {
    this.#chunked = framing.kind === "chunked";
    this.#untilClose = framing.kind === "until-close";
    this.#remaining = framing.kind === "length" ? framing.length : 0;
    this.#onPayload = onPayload;
    this.#phase = this.#chunked ? "size" : "data";
    if (framing.kind === "none" || (framing.kind === "length" && framing.length === 0)) this.#phase = "end";
  }

  /** Whether the body's end has been seen. A body until close never ends by itself. */
  get ended(): boolean {
    return this.#phase === "end";
  }

  /** Whether the end of the connection is the end of the body. */
  get endsWithConnection(): boolean {
    return this.#untilClose;
  }

  /** Bytes of content seen. */
  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** Looks at the bytes that follow those taken so far. */
  advance(bytes: Buffer): BodyProgress {
    if (this.#phase === "end") return { kind: "end", taken: 0 };
    if (this.#untilClose) {
      this.#payload(bytes);
      return { kind: "more", taken: bytes.length };
    }
    return this.#chunked ? this.#advanceChunked(bytes) : this.#advanceCounted(bytes);
  }

  #advanceCounted(bytes: Buffer): BodyProgress {
    const taken = this.#takeData(bytes, 0);
    if (this.#remaining > 0) return { kind: "more", taken };
    this.#phase = "end";
    return { kind: "end", taken };
  }

  #advanceChunked(bytes: Buffer): BodyProgress {
    let at = 0;
    while (at < bytes.length) {
      const before = at;
      if (this.#phase === "data") {
        at = this.#takeData(bytes, at);
        if (this.#remaining === 0) this.#phase = "data-end";
        continue;
      }
      const step = this.#phase === "trailer" ? this.#trailer(bytes, at) : this.#line(bytes, at);
      if (typeof step === "string") return { kind: "malformed", detail: step };
      at = step;
      if (this.ended) return { kind: "end", taken: at };
      if (at === before) break;
    }
    return { kind: "more", taken: at };
  }

  /** A chunk's size, or the line break after its data. Gives the place behind it, `at` if it is not all there yet. */
  #line(bytes: Buffer, at: number): number | string {
    if (this.#phase === "size") return this.#size(bytes, at);
    if (bytes[at] !== cr || (at + 1 < bytes.length && bytes[at + 1] !== lf)) return "a chunk is longer than it says";
    if (at + 1 === bytes.length) return at;
    this.#phase = "size";
    return at + 2;
  }

  #size(bytes: Buffer, at: number): number | string {
    let size = 0;
    let end = at;
    for (; end < bytes.length; end++) {
      const digit = hexDigit(bytes[end] ?? 0);
      if (digit === -1) break;
      if (end - at === maxSizeDigits) return "a chunk's size is too long";
      size = size * 16 + digit;
    }
    if (end === bytes.length) return at;
    if (end === at || bytes[end] !== cr) return "a chunk's size is malformed";
    if (end + 1 === bytes.length) return at;
    if (bytes[end + 1] !== lf) return "a chunk's size is malformed";
    this.#remaining = size;
    this.#phase = size === 0 ? "trailer" : "data";
    return end + 2;
  }

  /** Trailers are held back until all are there and checked: forwarded bytes can't be called back. */
  #trailer(bytes: Buffer, at: number): number | string {
    if (bytes[at] === cr) {
      if (at + 1 === bytes.length) return at;
      if (bytes[at + 1] !== lf) return "a bare carriage return in the trailers";
      this.#phase = "end";
      return at + 2;
    }
    const end = bytes.indexOf(headEnd, at);
    if ((end === -1 ? bytes.length : end) - at > maxTrailerBytes) return "the trailers are too long";
    if (end === -1) return at;
    const parsed = parseFields(bytes.toString("latin1", at, end + 2), { from: 0, end: end + 2 - at });
    if (!parsed.ok) return parsed.detail;
    for (const { lower } of parsed.fields) {
      if (isForbiddenTrailer(lower)) return `the field ${lower} among the trailers`;
    }
    this.#phase = "end";
    return end + 4;
  }

  /** Takes content from `at`, as far as it goes. Gives the place behind it. */
  #takeData(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#remaining);
    this.#remaining -= end - at;
    this.#payload(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    return end;
  }

  #payload(payload: Buffer): void {
    this.#payloadBytes += payload.length;
    this.#onPayload?.(payload);
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
