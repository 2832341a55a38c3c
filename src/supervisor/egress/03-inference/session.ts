/**
 * HTTP/1.1 of callers: one request after the other, each recognised anew. Read by the parser and the rules of step 8, so
 * that nothing which could be read in two ways is read at all.
 */
import type { Duplex } from "node:stream";
import { ByteReader } from "../../../net/byte-reader.ts";
import { parseRequestHead } from "../../../net/http1-head.ts";
import { readHead } from "../../../net/http1-read-head.ts";
import { watchEnd } from "../../../net/watch-end.ts";
import type { SessionEnd } from "../08-inspect/http1/session.ts";
import {
  elsewhere,
  type RequestPlace,
  type UnderstoodRequest,
  understandRequest,
} from "../08-inspect/http1/understand.ts";
import { keptAliveIdleMs, requestHeadTimeoutMs } from "../10-forward/limits.ts";
import type { AuditedRequest } from "../11-audit.ts";
import { type Identified, isRefusal, type Refusal } from "../connection.ts";
import { endWith } from "../refuse.ts";
import { readCallBytes } from "./call-bytes.ts";
import type { InferenceContext } from "./context.ts";
import { Http1Caller } from "./http1-caller.ts";
import { type CallerRequest, dialectOf, refuseRequest, serveRequest } from "./serve-request.ts";

export interface Callers {
  readonly connection: Identified;
  /** The client's stream, decrypted where it was TLS. */
  readonly client: Duplex;
  readonly scheme: "http" | "https";
  /** Cuts the connection. */
  readonly signal: AbortSignal;
}

type Next = "keep" | "close" | "handed-back";

/** Serves the client until one side closes. Leaves no stream open, except a client that is handed back. */
export async function serveCallers(callers: Callers, context: InferenceContext): Promise<SessionEnd> {
  const session = new CallSession(callers, context);
  let next: Next = "keep";
  while (next === "keep") next = await session.serveNext();
  return session.end(next);
}

class CallSession {
  readonly #callers: Callers;
  readonly #context: InferenceContext;
  readonly #client: ByteReader;
  readonly #place: RequestPlace;

  constructor(callers: Callers, context: InferenceContext) {
    const { connection, client, scheme } = callers;
    this.#callers = callers;
    this.#context = context;
    this.#client = new ByteReader(client);
    this.#place = { destination: connection.destination, scheme, absoluteForm: connection.awaiting === "response" };
  }

  async serveNext(): Promise<Next> {
    const times = { firstByteMs: keptAliveIdleMs, wholeHeadMs: requestHeadTimeoutMs };
    const read = await readHead(this.#client, parseRequestHead, times);
    if (read.kind === "end" || read.kind === "timeout") return "close";
    const { newId, now } = this.#context;
    const audited: AuditedRequest = { id: newId(), startedAt: now(), scheme: this.#callers.scheme };
    if (read.kind === "malformed") return this.#refuse(audited, { refused: "inspect.ambiguous", detail: read.detail });
    const understood = understandRequest(read.head, this.#place);
    if (understood === elsewhere) return "handed-back";
    this.#client.take(read.length);
    if (isRefusal(understood)) return this.#refuse(audited, understood);
    return this.#serve(understood, { ...audited, version: `1.${read.head.minor}`, facts: understood.facts });
  }

  /** Closes what is open. */
  async end(next: Next): Promise<SessionEnd> {
    const released = this.#client.release();
    if (next === "handed-back" && released) return "handed-back";
    await endWith(this.#callers.client, "");
    return "closed";
  }

  async #serve(request: UnderstoodRequest, audited: AuditedRequest): Promise<Next> {
    const { connection, client } = this.#callers;
    const { facts, fields, framing } = request;
    const callerRequest: CallerRequest = {
      ...{ connection, facts, fields, audited },
      caller: new Http1Caller(client, request, dialectOf(facts, fields)),
      hasBody: framing.kind !== "none",
      readBody: () => readCallBytes(this.#client, request, this.#context.held),
      watchCaller: () => this.#watchCaller(),
    };
    const keep = await serveRequest(callerRequest, this.#context);
    if (keep && !request.close) return "keep";
    this.#forgetRest();
    return "close";
  }

  #watchCaller(): ReturnType<CallerRequest["watchCaller"]> {
    // Not AbortSignal.any, which costs as much as reading the call.
    const left = new AbortController();
    const leave = (): void => left.abort();
    const { signal, client } = this.#callers;
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    const stopWatching = watchEnd(client, leave);
    return {
      left: left.signal,
      [Symbol.dispose]: () => {
        stopWatching();
        signal.removeEventListener("abort", leave);
      },
    };
  }

  /** Refuses what is no request. */
  async #refuse(audited: AuditedRequest, refusal: Refusal): Promise<Next> {
    const { client, connection } = this.#callers;
    const facts = { method: "POST", path: "/", query: [], hasEncodedSlash: false };
    const caller = new Http1Caller(client, { minor: 1, close: true, facts }, "openai_chat_completions");
    await refuseRequest({ connection, audited, caller }, refusal, this.#context);
    this.#forgetRest();
    return "close";
  }

  /** What is left belongs to a request that is not read any more. */
  #forgetRest(): void {
    this.#client.take(this.#client.bytes.length);
  }
}
