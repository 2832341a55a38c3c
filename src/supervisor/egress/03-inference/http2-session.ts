/**
 * HTTP/2 of callers: every stream is a request of its own, read by the rules of step 8 and answered as one of HTTP/1.1 is.
 * Takes  a client stream without TLS at the connection preface.
 * Gives  the end of the session, when all of its streams are over.
 * Refuses what understand.ts and client-streams.ts refuse, and what serve-request.ts refuses.
 */
import { constants } from "node:http2";
import { type Arrived, ClientStreams } from "../08-inspect/http2/client-streams.ts";
import { understandStream } from "../08-inspect/http2/understand.ts";
import type { AuditedRequest } from "../11-audit.ts";
import { isRefusal, type Refusal } from "../connection.ts";
import type { StreamBudget } from "../stream-budget.ts";
import { readStreamBytes } from "./call-bytes.ts";
import type { InferenceContext } from "./context.ts";
import { Http2Caller } from "./http2-caller.ts";
import { dialectOf, refuseRequest, serveRequest } from "./serve-request.ts";
import type { Callers } from "./session.ts";

export interface Http2Callers extends Callers {
  /** Open streams of the whole sandbox. */
  readonly streams: StreamBudget;
}

/** Serves the client until one side closes. Leaves no stream open. */
export async function serveHttp2Callers(callers: Http2Callers, context: InferenceContext): Promise<void> {
  await new Http2CallSession(callers, context).run();
}

class Http2CallSession {
  readonly #callers: Http2Callers;
  readonly #context: InferenceContext;
  readonly #streams: ClientStreams;

  constructor(callers: Http2Callers, context: InferenceContext) {
    this.#callers = callers;
    this.#context = context;
    const { client, scheme, streams, signal, connection } = callers;
    this.#streams = new ClientStreams(
      {
        ...{ client, scheme, streams, signal },
        connection: () => connection,
        serve: (arrived) => this.#serve(arrived),
        refuse: (arrived, audited, refusal) => this.#refuse(arrived, audited, refusal),
      },
      context,
    );
  }

  run(): Promise<void> {
    return this.#streams.run();
  }

  async #serve(arrived: Arrived): Promise<void> {
    const { stream, raw, bodiless } = arrived;
    const { connection, scheme } = this.#callers;
    const audited = this.#streams.audited();
    const understood = understandStream(raw, { destination: connection.destination, scheme });
    if (isRefusal(understood)) return this.#refuse(arrived, audited, understood);
    const { facts, fields } = understood;
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    stream.once("close", resolve);
    const caller = new Http2Caller(stream, dialectOf(facts, fields), facts.method === "HEAD");
    const hasEnded = (): boolean => this.#streams.watch.hasEnded(stream.id ?? 0);
    const isWhole = await serveRequest(
      {
        ...{ connection, facts, fields, caller },
        audited: { ...audited, facts },
        hasBody: !bodiless,
        readBody: () => readStreamBytes(stream, hasEnded, this.#context.held),
        watchCaller: () => watchStream(arrived),
      },
      this.#context,
    );
    this.#finish(arrived, isWhole);
    await closed;
  }

  async #refuse(arrived: Arrived, audited: AuditedRequest, refusal: Refusal): Promise<void> {
    const { connection } = this.#callers;
    const caller = new Http2Caller(arrived.stream, "openai_chat_completions", arrived.fields[":method"] === "HEAD");
    await refuseRequest({ connection, audited, caller }, refusal, this.#context);
    this.#finish(arrived, false);
  }

  /** Ends a stream whose answer stays unfinished, and one whose request nobody reads on. */
  #finish({ stream }: Arrived, isWhole: boolean): void {
    if (stream.closed) return;
    if (!stream.writableEnded) {
      // Behind what was written: nghttp2 sends a reset ahead of it.
      stream.write(Buffer.alloc(0), () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
      return;
    }
    stream.resume();
    if (!isWhole) this.#streams.watch.afterEnd(stream.id ?? 0, () => stream.close(constants.NGHTTP2_NO_ERROR));
  }
}

/** A caller leaves by resetting its stream, or with its connection. */
function watchStream({ stream }: Arrived): Disposable & { readonly left: AbortSignal } {
  const left = new AbortController();
  const leave = (): void => left.abort();
  if (stream.closed) leave();
  stream.once("close", leave);
  return { left: left.signal, [Symbol.dispose]: () => void stream.off("close", leave) };
}
