/**
 * A client's HTTP/2 connection, for whoever serves its streams: floods, silence, malformed heads and the end.
 * Takes  a client stream without TLS at the connection preface.
 * Gives  each stream to be served; and the end of the session, when all of its streams are over.
 * Refuses inspect.flood, and inspect.ambiguous and inspect.too_large for what never becomes a stream.
 *
 * Framing, HPACK and flow control are Node's http2, which is nghttp2. What it turns down by itself never becomes a stream
 * here; `WatchedStream` sees it all the same, so that it is on record.
 */
import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Duplex } from "node:stream";
import { maxFields } from "../../../../net/http1-fields.ts";
import { maxHeadBytes } from "../../../../net/http1-head.ts";
import {
  clientConnectionWindowBytes,
  clientWindowBytes,
  keptAliveIdleMs,
  maxConcurrentStreams,
  maxStreamsPerConnection,
} from "../../10-forward/limits.ts";
import type { AuditedConnection, AuditedRequest } from "../../11-audit.ts";
import type { Refusal } from "../../connection.ts";
import type { EgressContext } from "../../context.ts";
import type { StreamBudget } from "../../stream-budget.ts";
import { ambiguous } from "../request-head.ts";
import { WatchedStream } from "./watched-stream.ts";

/** A stream as it came. */
export interface Arrived {
  readonly stream: ServerHttp2Stream;
  readonly fields: IncomingHttpHeaders;
  /** Names and values in turn, of which none was dropped or joined. */
  readonly raw: readonly string[];
  /** Whether the head is all of the request. */
  readonly bodiless: boolean;
}

export interface ClientStreamsOptions {
  readonly client: Duplex;
  readonly scheme: "http" | "https";
  /** Open streams of the whole sandbox. */
  readonly streams: StreamBudget;
  /** Cuts the connection. */
  readonly signal: AbortSignal;
  /** The connection as it is on record now. */
  readonly connection: () => AuditedConnection;
  /** Serves a stream to its end. A rejection is a defect. */
  readonly serve: (arrived: Arrived) => Promise<void>;
  readonly refuse: (arrived: Arrived, audited: AuditedRequest, refusal: Refusal) => Promise<void>;
}

type ClientStreamsContext = Pick<EgressContext, "audit" | "newId" | "now" | "onDefect">;

/** nghttp2's words for a peer that overdoes it, besides its code for it (NGHTTP2_ERR_FLOODED). */
const floodError = /flood|too many/i;

export class ClientStreams {
  /** What is seen of the client's frames. */
  readonly watch: WatchedStream;
  readonly #options: ClientStreamsOptions;
  readonly #context: ClientStreamsContext;
  readonly #session: ServerHttp2Session;
  /** Streams that are served, by their ids. */
  readonly #open = new Map<number, Promise<void>>();
  #idle: NodeJS.Timeout | undefined;
  /** Streams that are being reset and were never seen here, until it is certain that they will not be. */
  readonly #strangers = new Set<number>();
  #served = 0;

  constructor(options: ClientStreamsOptions, context: ClientStreamsContext) {
    this.#options = options;
    this.#context = context;
    this.watch = new WatchedStream(options.client, {
      peer: "client",
      onFlood: (what) => this.#flooded(what),
      onReset: (id, code) => this.#resetting(id, code),
    });
    this.#session = performServerHandshake(this.watch, {
      settings: { maxConcurrentStreams, initialWindowSize: clientWindowBytes, maxHeaderListSize: maxHeadBytes },
      maxHeaderListPairs: maxFields,
      // A field that comes twice is seen twice.
      strictSingleValueFields: false,
    });
    this.#session.setLocalWindowSize(clientConnectionWindowBytes);
    this.#awaitStreams();
  }

  /** Serves streams until the connection is closed and all of them are over. */
  async run(): Promise<void> {
    const session = this.#session;
    const { signal } = this.#options;
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    // An error, so that the client does not wait for the streams that are open.
    const onAbort = (): void => this.#end(constants.NGHTTP2_CANCEL);
    signal.addEventListener("abort", onAbort, { once: true });
    session.on("stream", (stream, fields, flags, raw) => {
      this.#accept({ stream, fields, raw, bodiless: (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0 });
    });
    session.on("error", (error) => this.#broken(error));
    session.on("close", resolve);
    if (signal.aborted) onAbort();
    await closed;
    clearTimeout(this.#idle);
    signal.removeEventListener("abort", onAbort);
    await Promise.all(this.#open.values());
    this.watch.destroy();
  }

  /** Takes no more streams; the client is told to open another connection. */
  close(): void {
    this.#session.close();
  }

  /** For a request that has just come. */
  audited(): AuditedRequest {
    const { newId, now } = this.#context;
    return { id: newId(), startedAt: now(), scheme: this.#options.scheme, version: "2" };
  }

  /** Nothing is under way: the connection ends unless a stream is opened in time. */
  #awaitStreams(): void {
    if (this.#session.destroyed) return;
    // A timer that was cleared can't be refreshed: it would never fire.
    this.#idle = setTimeout(() => this.#end(constants.NGHTTP2_NO_ERROR), keptAliveIdleMs);
  }

  #accept(arrived: Arrived): void {
    const { stream } = arrived;
    const { streams, serve } = this.#options;
    const id = stream.id ?? 0;
    this.#strangers.delete(id);
    // `close` follows, and says the same.
    stream.on("error", ignore);
    if (++this.#served === maxStreamsPerConnection) this.#session.close();
    clearTimeout(this.#idle);
    const isFull = !streams.take();
    const serving = (isFull ? this.#refuseBusy(arrived) : serve(arrived))
      .catch((error: unknown) => {
        // Refusals are values, so this is a defect. Whatever it is, nothing more passes.
        stream.destroy();
        this.#context.onDefect(error);
      })
      .finally(() => {
        if (!isFull) streams.give();
        this.watch.forget(id);
        this.#open.delete(id);
        if (this.#open.size === 0) this.#awaitStreams();
      });
    this.#open.set(id, serving);
  }

  #refuseBusy(arrived: Arrived): Promise<void> {
    const detail = "too many HTTP/2 streams are open in the sandbox";
    return this.#options.refuse(arrived, this.audited(), { refused: "intercept.busy", detail });
  }

  /** A stream is being reset. If it never comes here, nghttp2 does so because its head is malformed, or too long. */
  #resetting(id: number, code: number): void {
    // Served already, or being served.
    if (!this.watch.isFollowed(id) || this.#open.has(id)) return;
    this.watch.forget(id);
    // Of more streams than may be open nothing is known, and the client may try again.
    if (code === constants.NGHTTP2_REFUSED_STREAM) return;
    const flood = this.watch.guard.malformedStream();
    if (flood !== undefined) return this.#flooded(flood);
    this.#strangers.add(id);
    setImmediate(() => {
      if (!this.#strangers.delete(id)) return;
      const refusal = code === constants.NGHTTP2_ENHANCE_YOUR_CALM ? tooLong(id) : malformed(id);
      this.#context.audit.requestRefused(this.#options.connection(), this.audited(), refusal);
    });
  }

  #flooded(what: string): void {
    if (this.#session.destroyed) return;
    const detail = `too many ${what} on one connection`;
    this.#context.audit.connectionRefused(this.#options.connection(), { refused: "inspect.flood", detail });
    this.#end(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** Ends the connection with everything on it, whether the client reads its last words or not. */
  #end(code: number): void {
    this.#session.destroy(undefined, code);
    this.watch.destroySoon();
  }

  /** What the client sent is no HTTP/2 any more; nghttp2 has closed the connection. */
  #broken({ message }: Error): void {
    const refused = floodError.test(message) ? "inspect.flood" : "inspect.ambiguous";
    this.#context.audit.connectionRefused(this.#options.connection(), { refused, detail: `HTTP/2: ${message}` });
  }
}

function malformed(id: number): Refusal {
  return ambiguous(`the head of stream ${id} is malformed (RFC 9113 section 8)`);
}

function tooLong(id: number): Refusal {
  const detail = `the head of stream ${id} is longer than ${maxHeadBytes} bytes, or has more than ${maxFields} fields`;
  return { refused: "inspect.too_large", detail };
}

function ignore(): void {}
