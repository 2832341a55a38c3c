/**
 * Step 8 for HTTP/2: every stream is decided on its own.
 * Takes  a client stream without TLS at the connection preface, the connection it came by, and a way to its upstream,
 *        which speaks HTTP/2 too: nothing is translated.
 * Gives  the end of the session, when all of its streams are over.
 * Refuses what understand.ts refuses, what decide-request.ts refuses, and what forwarding refuses, as responses on their
 *        streams; intercept.busy and inspect.flood.
 * Assumes the connection is decided and guarded (04, 05) and the upstream's certificate verified (07).
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
import { foldedName, maxFields } from "../../../../net/http1-fields.ts";
import { maxHeadBytes } from "../../../../net/http1-head.ts";
import { factsWithoutPlaceholders } from "../../09-credential/without-placeholders.ts";
import {
  clientConnectionWindowBytes,
  clientWindowBytes,
  keptAliveIdleMs,
  maxConcurrentStreams,
  maxStreamsPerConnection,
} from "../../10-forward/limits.ts";
import type { AuditedRequest } from "../../11-audit.ts";
import { isRefusal, type Refusal } from "../../connection.ts";
import type { EgressContext } from "../../context.ts";
import { isGrpc, refuseStream } from "../../refuse-stream.ts";
import type { StreamBudget } from "../../stream-budget.ts";
import type { HttpCarriage } from "../carriage.ts";
import { decideRequest, refusalOf } from "../decide-request.ts";
import { LivePolicy } from "../live-policy.ts";
import { ambiguous, type Origin } from "../request-head.ts";
import { StreamBody } from "./body.ts";
import { exchange } from "./exchange.ts";
import { prepareRequest } from "./prepare-request.ts";
import { type UnderstoodStream, understandStream } from "./understand.ts";
import { startUpstreamSession, type UpstreamSession } from "./upstream.ts";
import { WatchedStream } from "./watched-stream.ts";

export interface Http2Carriage extends HttpCarriage {
  /** Open streams of the whole sandbox. */
  readonly streams: StreamBudget;
}

type SessionContext = Pick<
  EgressContext,
  "sandboxName" | "audit" | "policy" | "credentials" | "newId" | "now" | "onDefect"
>;

/** A stream as it came. */
interface Arrived {
  readonly stream: ServerHttp2Stream;
  readonly fields: IncomingHttpHeaders;
  /** Names and values in turn, of which none was dropped or joined. */
  readonly raw: readonly string[];
  /** Whether the head is all of the request. */
  readonly bodiless: boolean;
}

/** nghttp2's words for a peer that overdoes it, besides its code for it (NGHTTP2_ERR_FLOODED). */
const floodError = /flood|too many/i;

/** Serves the client until one side closes. Leaves no stream open. */
export async function serveHttp2(carriage: Http2Carriage, context: SessionContext): Promise<void> {
  await new Http2Connection(carriage, context).run();
}

class Http2Connection {
  readonly #carriage: Http2Carriage;
  readonly #context: SessionContext;
  readonly #policy: LivePolicy;
  readonly #origin: Origin;
  readonly #watch: WatchedStream;
  readonly #session: ServerHttp2Session;
  /** Streams that are served, by their ids. */
  readonly #open = new Map<number, Promise<void>>();
  #idle: NodeJS.Timeout | undefined;
  /** Streams that are being reset and were never seen here, until it is certain that they will not be. */
  readonly #strangers = new Set<number>();
  #upstream: Promise<UpstreamSession | Refusal> | undefined;
  #served = 0;

  constructor(carriage: Http2Carriage, context: SessionContext) {
    this.#carriage = carriage;
    this.#context = context;
    this.#policy = new LivePolicy(carriage.connection, context.policy);
    this.#origin = { destination: carriage.connection.destination, scheme: carriage.scheme };
    this.#watch = new WatchedStream(carriage.client, {
      peer: "client",
      onFlood: (what) => this.#flooded(what),
      onReset: (id, code) => this.#resetting(id, code),
    });
    this.#session = performServerHandshake(this.#watch, {
      settings: { maxConcurrentStreams, initialWindowSize: clientWindowBytes, maxHeaderListSize: maxHeadBytes },
      maxHeaderListPairs: maxFields,
      // A field that comes twice is seen twice.
      strictSingleValueFields: false,
    });
    this.#session.setLocalWindowSize(clientConnectionWindowBytes);
    this.#awaitStreams();
  }

  async run(): Promise<void> {
    const session = this.#session;
    const { signal, scheme } = this.#carriage;
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    // An error, so that the client does not wait for the streams that are open.
    const onAbort = (): void => this.#end(constants.NGHTTP2_CANCEL);
    signal.addEventListener("abort", onAbort, { once: true });
    session.on("stream", (stream, fields, flags, raw) => {
      this.#accept({ stream, fields, raw, bodiless: (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0 });
    });
    session.on("error", (error) => this.#broken(error));
    session.on("close", resolve);
    // Its socket is there already: its settings and ours cross while the client makes up its first request.
    if (scheme === "https") void this.#openUpstream();
    if (signal.aborted) onAbort();
    await closed;
    clearTimeout(this.#idle);
    signal.removeEventListener("abort", onAbort);
    await Promise.all(this.#open.values());
    const upstream = await this.#upstream;
    if (upstream !== undefined && !isRefusal(upstream)) upstream.session.destroy();
    this.#watch.destroy();
  }

  /** Nothing is under way: the connection ends unless a stream is opened in time. */
  #awaitStreams(): void {
    if (this.#session.destroyed) return;
    // A timer that was cleared can't be refreshed: it would never fire.
    this.#idle = setTimeout(() => this.#end(constants.NGHTTP2_NO_ERROR), keptAliveIdleMs);
  }

  #accept(arrived: Arrived): void {
    const { stream } = arrived;
    const { streams } = this.#carriage;
    const id = stream.id ?? 0;
    this.#strangers.delete(id);
    // `close` follows, and says the same.
    stream.on("error", ignore);
    if (++this.#served === maxStreamsPerConnection) this.#session.close();
    clearTimeout(this.#idle);
    const isFull = !streams.take();
    const serving = (isFull ? this.#refuseBusy(arrived) : this.#serve(arrived))
      .catch((error: unknown) => {
        // Refusals are values, so this is a defect. Whatever it is, nothing more passes.
        stream.destroy();
        this.#context.onDefect(error);
      })
      .finally(() => {
        if (!isFull) streams.give();
        this.#watch.forget(id);
        this.#open.delete(id);
        if (this.#open.size === 0) this.#awaitStreams();
      });
    this.#open.set(id, serving);
  }

  async #serve(arrived: Arrived): Promise<void> {
    const { stream, raw, bodiless } = arrived;
    const head = this.#audited();
    const body = new StreamBody(stream, () => this.#watch.hasEnded(stream.id ?? 0));
    const request = understandStream(raw, this.#origin);
    if (isRefusal(request)) return this.#refuse(arrived, head, request);
    const understood = { ...head, facts: request.facts };
    const content = { fieldValues: valuesIn(request), readBody: (maxBytes: number) => body.read(maxBytes) };
    const deciding = decideRequest({ ...request, content }, (facts) => this.#policy.ask(facts));
    const decision = deciding instanceof Promise ? await deciding : deciding;
    if (isRefusal(decision)) return this.#refuse(arrived, understood, decision);
    const audited = { ...head, facts: factsWithoutPlaceholders(decision.facts, this.#context.credentials()) };
    const denied = refusalOf(decision);
    if (denied !== undefined) return this.#refuse(arrived, audited, denied);
    const given = await prepareRequest(
      { ...request, body, content, hasBody: !bodiless },
      { connection: this.#policy.connection, scheme: this.#origin.scheme, now: this.#context.now() },
      this.#context.credentials(),
    );
    if (isRefusal(given)) return this.#refuse(arrived, audited, given);
    const { audit } = this.#context;
    // What can't be put on record is not forwarded.
    const unrecorded = audit.requestAllowed(this.#policy.connection, audited, decision.verdict);
    if (unrecorded !== undefined) return this.#refuse(arrived, audited, unrecorded);
    const upstream = await this.#openUpstream();
    if (isRefusal(upstream)) return this.#refuse(arrived, audited, upstream);
    const isHead = request.facts.method === "HEAD";
    const end = await exchange({
      ...given,
      isHead,
      client: stream,
      clientWatch: this.#watch,
      body,
      bodiless,
      upstream,
    });
    if (end.kind === "refused") return this.#refuse(arrived, audited, end.refusal);
    if (end.kind === "answered") audit.requestCompleted(this.#policy.connection, audited, end.outcome);
    else audit.requestRefused(this.#policy.connection, audited, end.refusal);
  }

  #audited(): AuditedRequest {
    const { newId, now } = this.#context;
    return { id: newId(), startedAt: now(), scheme: this.#carriage.scheme, version: "2" };
  }

  async #refuse({ stream, fields }: Arrived, audited: AuditedRequest, refusal: Refusal): Promise<void> {
    const { audit, sandboxName } = this.#context;
    audit.requestRefused(this.#policy.connection, audited, refusal);
    const kind = { grpc: isGrpc(fields["content-type"]), withBody: fields[":method"] !== "HEAD" };
    const userAgent = fields["user-agent"];
    await refuseStream(stream, refusal, { requestId: audited.id, sandboxName, userAgent, ...kind });
  }

  #refuseBusy(arrived: Arrived): Promise<void> {
    const detail = "too many HTTP/2 streams are open in the sandbox";
    return this.#refuse(arrived, this.#audited(), { refused: "intercept.busy", detail });
  }

  #openUpstream(): Promise<UpstreamSession | Refusal> {
    this.#upstream ??= this.#startUpstream();
    return this.#upstream;
  }

  async #startUpstream(): Promise<UpstreamSession | Refusal> {
    const socket = await this.#carriage.openUpstream();
    if (isRefusal(socket)) return socket;
    const { destination, rule } = this.#policy.connection;
    if (socket.destroyed) return { refused: "forward.reset", detail: `${destination.host} left`, rule };
    // The client is told to open another connection, as its upstream's session takes no more.
    const { streams } = this.#carriage;
    return startUpstreamSession(socket, { destination, streams, onEnd: () => this.#session.close() });
  }

  /** A stream is being reset. If it never comes here, nghttp2 does so because its head is malformed, or too long. */
  #resetting(id: number, code: number): void {
    // Served already, or being served.
    if (!this.#watch.isFollowed(id) || this.#open.has(id)) return;
    this.#watch.forget(id);
    // Of more streams than may be open nothing is known, and the client may try again.
    if (code === constants.NGHTTP2_REFUSED_STREAM) return;
    const flood = this.#watch.guard.malformedStream();
    if (flood !== undefined) return this.#flooded(flood);
    this.#strangers.add(id);
    setImmediate(() => {
      if (!this.#strangers.delete(id)) return;
      const refusal = code === constants.NGHTTP2_ENHANCE_YOUR_CALM ? tooLong(id) : malformed(id);
      this.#context.audit.requestRefused(this.#policy.connection, this.#audited(), refusal);
    });
  }

  #flooded(what: string): void {
    if (this.#session.destroyed) return;
    const detail = `too many ${what} on one connection`;
    this.#context.audit.connectionRefused(this.#policy.connection, { refused: "inspect.flood", detail });
    this.#end(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** Ends the connection with everything on it, whether the client reads its last words or not. */
  #end(code: number): void {
    this.#session.destroy(undefined, code);
    this.#watch.destroySoon();
  }

  /** What the client sent is no HTTP/2 any more; nghttp2 has closed the connection. */
  #broken({ message }: Error): void {
    const refused = floodError.test(message) ? "inspect.flood" : "inspect.ambiguous";
    this.#context.audit.connectionRefused(this.#policy.connection, { refused, detail: `HTTP/2: ${message}` });
  }
}

function malformed(id: number): Refusal {
  return ambiguous(`the head of stream ${id} is malformed (RFC 9113 section 8)`);
}

function tooLong(id: number): Refusal {
  const detail = `the head of stream ${id} is longer than ${maxHeadBytes} bytes, or has more than ${maxFields} fields`;
  return { refused: "inspect.too_large", detail };
}

function valuesIn({ fields }: UnderstoodStream): (lower: string) => readonly string[] {
  return (lower) => fields.filter((field) => foldedName(field.lower) === lower).map(({ value }) => value);
}

function ignore(): void {}
