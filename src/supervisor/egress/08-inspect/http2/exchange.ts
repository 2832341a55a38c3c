/**
 * One stream and its response, both streamed at the same time.
 * Takes  a request that was allowed, the client's stream, and the upstream's session.
 * Gives  what became of it, when both streams are closed.
 * Refuses forward.reset | forward.timeout, inspect.ambiguous for a body that breaks its framing, and credential.unmaskable;
 *        only before a response was forwarded. A stream that the upstream resets is reset, since the error code tells the client whether it may
 *        try again.
 * Assumes the upstream is hostile too, and that Node's http2 holds both sides to Content-Length.
 */
import {
  type ClientHttp2Stream,
  constants,
  type Http2Stream,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { type Field, fieldValue } from "../../../../net/http1-fields.ts";
import type { BodyWatch } from "../../09-credential/body-watch.ts";
import { maskedBodyBytes, type ResponseMask, tooLongToMask } from "../../09-credential/response-mask.ts";
import { endToEndHttp2Fields } from "../../10-forward/hop-by-hop.ts";
import { maxInterimResponses, relayIdleMs, responseHeadTimeoutMs } from "../../10-forward/limits.ts";
import type { RequestOutcome } from "../../11-audit.ts";
import { isRefusal, type Refusal } from "../../connection.ts";
import { ambiguous } from "../request-head.ts";
import { type BodyBreak, StreamBody } from "./body.ts";
import { flatten, readFields } from "./understand.ts";
import type { UpstreamSession } from "./upstream.ts";
import type { WatchedStream } from "./watched-stream.ts";

const { NGHTTP2_CANCEL, NGHTTP2_FLAG_END_STREAM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR } =
  constants;

/** Statuses of responses that have no content, whatever they say (RFC 9110 section 15). */
const bodilessStatus = new Set([204, 205, 304]);

export interface ExchangeParts {
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly isHead: boolean;
  readonly client: ServerHttp2Stream;
  /** The connection that the client's stream is on. */
  readonly clientWatch: WatchedStream;
  readonly body: StreamBody;
  /** Whether the head is all of the request. */
  readonly bodiless: boolean;
  readonly upstream: UpstreamSession;
  /** Is shown the request's body as it passes. */
  readonly watch?: BodyWatch;
  /** Is put over the response. */
  readonly mask?: ResponseMask;
}

export type ExchangeEnd =
  | { readonly kind: "answered"; readonly outcome: RequestOutcome }
  /** The client's stream is closed. */
  | { readonly kind: "broken-off"; readonly refusal: Refusal }
  /** The client has not been told anything yet. */
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** A final response, as far as it is its head. */
interface FinalResponse {
  readonly status: number;
  readonly fields: readonly Field[];
  readonly bodiless: boolean;
}

/** Forwards the request and its response. */
export function exchange(parts: ExchangeParts): Promise<ExchangeEnd> {
  return new Exchange(parts).run();
}

class Exchange {
  readonly #parts: ExchangeParts;
  readonly #upstream: ClientHttp2Stream;
  readonly #upstreamId: number;
  readonly #responseBody: StreamBody;
  readonly #end = Promise.withResolvers<ExchangeEnd>();
  #timer: NodeJS.Timeout;
  #interim = 0;
  /** The final response's, once its head has come. */
  #status: number | undefined;
  /** What the response says it has. A server that resets in place of an end (Node, if it has not read the request) has sent it. */
  #length: number | undefined;
  /** Whether all of the response was given to the client. */
  #answered = false;
  /** Why the exchange does not come to its end. */
  #failure: Refusal | undefined;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    const { watch } = parts.upstream;
    const endStream = parts.bodiless;
    const upstream = parts.upstream.request(parts.headers, { endStream, waitForTrailers: !endStream });
    const id = upstream.id ?? 0;
    watch.follow(id);
    this.#upstream = upstream;
    this.#upstreamId = id;
    this.#responseBody = new StreamBody(upstream, () => watch.hasEnded(id));
    this.#timer = setTimeout(() => this.#timedOut(), responseHeadTimeoutMs);
  }

  run(): Promise<ExchangeEnd> {
    const upstream = this.#upstream;
    const { client } = this.#parts;
    // `close` follows, and says the same.
    upstream.on("error", ignore);
    upstream.on("headers", (fields, _flags, raw) => {
      this.#safely(() => this.#inform(Number(fields[":status"]), raw));
    });
    upstream.on("response", (fields, flags, raw) => {
      this.#safely(() => this.#respond(Number(fields[":status"]), flags, raw));
    });
    upstream.on("close", () => this.#upstreamClosed());
    client.on("close", () => this.#clientClosed());
    if (client.destroyed) this.#clientClosed();
    else this.#sendBody();
    return this.#end.promise.finally(() => {
      clearTimeout(this.#timer);
      this.#parts.upstream.watch.forget(this.#upstreamId);
    });
  }

  /** Node's http2 throws for what it does not want to send; in an event nobody would catch that. */
  #safely(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#end.reject(error);
    }
  }

  #sendBody(): void {
    const { body, bodiless, client } = this.#parts;
    // So that its end is seen.
    if (bodiless) client.resume();
    else {
      const upstream = this.#upstream;
      body.forward(upstream, {
        onPiece: (piece) => this.#mayGoOn(piece),
        onEnd: (trailers) => {
          if (this.#mayGoOn(Buffer.from(trailers.join("\n"), "latin1"))) endWithTrailers(upstream, trailers);
        },
        onBreak: (why) => this.#requestBroke(why),
      });
    }
  }

  /** Step 9, for a body that is not read as a whole. */
  #mayGoOn(piece: Buffer): boolean {
    this.#timer.refresh();
    const { watch } = this.#parts;
    watch?.look(piece);
    if (watch?.refusal === undefined) return true;
    this.#fail(watch.refusal);
    return false;
  }

  #requestBroke(why: BodyBreak): void {
    if (why === "malformed") this.#fail(ambiguous("a field among the trailers that must not be there"));
    else if (why === "stalled") this.#fail(this.#timeout("did not take the request's body in time"));
    // The client has reset its stream, which closes it.
    else this.#upstream.close(NGHTTP2_CANCEL);
  }

  #inform(status: number, raw: readonly string[]): void {
    const { client } = this.#parts;
    const fields = this.#readFields(raw);
    this.#interim++;
    const isInterim = status >= 100 && status <= 199 && status !== 101;
    if (fields === undefined || !isInterim || this.#interim > maxInterimResponses) {
      this.#fail(this.#reset("sent too many interim responses, or malformed ones"));
    } else if (!client.closed && !client.headersSent) {
      client.additionalHeaders({ ":status": status, ...fieldObject(flatten(endToEndHttp2Fields(fields))) });
    }
  }

  #respond(status: number, flags: number, raw: readonly string[]): void {
    const { client } = this.#parts;
    const fields = this.#readFields(raw);
    if (fields === undefined || !(status >= 200 && status <= 599)) {
      return this.#fail(this.#reset("sent a malformed response"));
    }
    if (client.closed || client.headersSent) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#timedOut(), relayIdleMs);
    this.#status = status;
    const length = fieldValue(fields, "content-length");
    if (length !== undefined) this.#length = Number(length);
    const bodiless = (flags & NGHTTP2_FLAG_END_STREAM) !== 0 || this.#parts.isHead || bodilessStatus.has(status);
    const { mask } = this.#parts;
    if (mask === undefined || bodiless) return this.#forwardResponse({ status, fields, bodiless });
    this.#maskBody({ status, fields }, mask).catch((error: unknown) => this.#end.reject(error));
  }

  /** Step 9 for a response with a body, which is forwarded when all of it was searched. */
  async #maskBody({ status, fields }: Pick<FinalResponse, "status" | "fields">, mask: ResponseMask): Promise<void> {
    const problem = mask.problemWith({ status, fields });
    if (problem !== undefined) return this.#fail(problem);
    const content = await this.#responseBody.read(maskedBodyBytes);
    if (content === "too-large") return this.#fail(tooLongToMask);
    if (isRefusal(content)) return this.#fail(this.#reset("broke the response off, or took too long for it"));
    if (this.#parts.client.closed) return;
    this.#responseBody.replace(mask.body(content));
    const unmeasured = fields.filter(({ lower }) => lower !== "content-length");
    this.#forwardResponse({ status, fields: unmeasured, bodiless: false });
  }

  /** The fields of a response, as far as the client may see them; undefined if they are malformed. */
  #readFields(raw: readonly string[]): readonly Field[] | undefined {
    const fields = readFields(raw, ":status");
    return fields && (this.#parts.mask?.fields(fields) ?? fields);
  }

  #forwardResponse({ status, fields, bodiless }: FinalResponse): void {
    const { client } = this.#parts;
    // A date would be ours, not the origin's.
    const options = { endStream: bodiless, waitForTrailers: !bodiless, sendDate: false };
    client.respond([":status", `${status}`, ...flatten(endToEndHttp2Fields(fields))], options);
    if (bodiless) {
      this.#answered = true;
      this.#upstream.resume();
      return;
    }
    this.#responseBody.forward(client, {
      onPiece: () => {
        this.#timer.refresh();
        return true;
      },
      onEnd: (trailers) => this.#endResponse(trailers),
      onBreak: (why) => this.#responseBroke(why),
    });
  }

  #endResponse(trailers: readonly string[]): void {
    this.#answered = true;
    const { client, mask } = this.#parts;
    endWithTrailers(client, mask ? trailers.map((each) => mask.text(each)) : trailers);
  }

  #responseBroke(why: BodyBreak): void {
    if (why === "malformed")
      return this.#fail(this.#reset("sent trailers that must not be there"), NGHTTP2_PROTOCOL_ERROR);
    if (why === "stalled") {
      return this.#fail(
        { refused: "forward.timeout", detail: "the client did not take the response in time" },
        NGHTTP2_CANCEL,
      );
    }
    // Otherwise the connection was closed.
    const code = this.#parts.upstream.watch.wasReset(this.#upstreamId)
      ? this.#upstream.rstCode
      : NGHTTP2_INTERNAL_ERROR;
    if (code !== NGHTTP2_NO_ERROR) this.#fail(this.#reset("broke the response off"), code);
    else if (this.#responseBody.bytes === this.#length) this.#endResponse([]);
    else if (this.#length === undefined) this.#resetWithoutError();
    // It says itself that there is more.
    else this.#fail(this.#reset("broke the response off"), NGHTTP2_INTERNAL_ERROR);
  }

  /**
   * A response without END_STREAM is not complete (RFC 9113 section 8.1), but servers end complete ones so: Node's do if
   * they close a stream instead of sending trailers, and sometimes when nobody has read the request. The client is told just
   * what the upstream said, behind all of the data, and judges as it would without us.
   */
  #resetWithoutError(): void {
    const { client } = this.#parts;
    this.#failure ??= this.#reset("ended the response by a reset without an error: perhaps it was not whole");
    client.write(Buffer.alloc(0), () => client.close(NGHTTP2_NO_ERROR));
  }

  #timedOut(): void {
    this.#fail(this.#timeout("did not answer in time"), this.#parts.client.headersSent ? NGHTTP2_CANCEL : undefined);
  }

  #upstreamClosed(): void {
    if (this.#answered) {
      // It has answered and does not want the rest of the request: the client need not send it (RFC 9113 section 8.1).
      const { client, clientWatch, bodiless, body } = this.#parts;
      if (!bodiless && !body.ended) clientWatch.afterEnd(client.id ?? 0, () => client.close(NGHTTP2_NO_ERROR));
    } else if (this.#status === undefined) {
      const wasReset = this.#parts.upstream.watch.wasReset(this.#upstreamId);
      const code = this.#upstream.rstCode || NGHTTP2_INTERNAL_ERROR;
      if (wasReset) this.#fail(this.#reset("reset the stream without an answer"), code);
      else this.#fail(this.#reset("closed the connection without an answer"));
    }
  }

  /** The end of everything: whatever happened, the client's stream is closed at last. */
  #clientClosed(): void {
    const { client, body, bodiless } = this.#parts;
    if (!this.#answered || !(bodiless || body.ended)) this.#upstream.close(NGHTTP2_CANCEL);
    this.#end.resolve(this.#outcome(client.rstCode));
  }

  #outcome(code: number): ExchangeEnd {
    if (this.#failure !== undefined) return { kind: "broken-off", refusal: this.#failure };
    if (!this.#answered && code === NGHTTP2_PROTOCOL_ERROR) {
      return { kind: "broken-off", refusal: ambiguous("the request's body or trailers are not what its head says") };
    }
    if (this.#status === undefined) {
      return { kind: "broken-off", refusal: { refused: "forward.reset", detail: "the client left before the answer" } };
    }
    const bytes = { bytesIn: this.#responseBody.bytes, bytesOut: this.#parts.body.bytes };
    return { kind: "answered", outcome: { status: this.#status, ...bytes } };
  }

  /** Gives up. Without a code the client is told in a response, if it has not been given one yet. */
  #fail(failure: Refusal, code?: number): void {
    this.#failure ??= failure;
    this.#upstream.close(NGHTTP2_CANCEL);
    if (code === undefined && !this.#parts.client.headersSent)
      this.#end.resolve({ kind: "refused", refusal: this.#failure });
    else this.#parts.client.close(code ?? NGHTTP2_INTERNAL_ERROR);
  }

  #reset(what: string): Refusal {
    return { refused: "forward.reset", detail: `${this.#parts.upstream.destination.host} ${what}` };
  }

  #timeout(what: string): Refusal {
    return { refused: "forward.timeout", detail: `${this.#parts.upstream.destination.host} ${what}` };
  }
}

/** Ends a stream that was opened with `waitForTrailers`. */
function endWithTrailers(stream: Http2Stream, trailers: readonly string[]): void {
  // Without a listener none are sent.
  if (trailers.length > 0) stream.once("wantTrailers", () => stream.sendTrailers(fieldObject(trailers)));
  stream.end();
}

/** What Node's http2 wants where it takes no list: a field that came several times has several values. */
function fieldObject(list: readonly string[]): OutgoingHttpHeaders {
  const object: Record<string, string[]> = Object.create(null);
  for (let at = 0; at < list.length; at += 2) {
    const name = list[at] ?? "";
    object[name] = [...(object[name] ?? []), list[at + 1] ?? ""];
  }
  return object;
}

function ignore(): void {}
