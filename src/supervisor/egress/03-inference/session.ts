/**
 * HTTP/1.1 of callers: one request after the other, each recognised anew. Read by the parser and the rules of step 8, so
 * that nothing which could be read in two ways is read at all.
 */
import type { Duplex } from "node:stream";
import type { Call } from "../../../inference/backend-request.ts";
import { readCallBody } from "../../../inference/call-body.ts";
import { callersDialect, type Recognised, recognise } from "../../../inference/recognise.ts";
import { ByteReader } from "../../../net/byte-reader.ts";
import { fieldValue } from "../../../net/http1-fields.ts";
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
import type { AuditedCall, AuditedRequest } from "../11-audit.ts";
import { type Identified, isRefusal, type Refusal } from "../connection.ts";
import { endWith } from "../refuse.ts";
import { readCallBytes } from "./call-bytes.ts";
import { Caller } from "./caller.ts";
import type { InferenceContext } from "./context.ts";
import { modelByName, modelList } from "./list-models.ts";
import { serveCall } from "./serve-call.ts";
import { tellRefusal } from "./tell-refusal.ts";

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
    const { method, path, upgrade } = request.facts;
    const dialect = callersDialect(path, (lower) => fieldValue(request.fields, lower) !== undefined);
    const caller = new Caller(this.#callers.client, request, dialect);
    if (upgrade !== undefined) {
      return this.#refuse(
        audited,
        { refused: "inference.websocket", detail: `${path} was asked for a WebSocket` },
        caller,
      );
    }
    const recognised = recognise(method, path);
    switch (recognised.kind) {
      case "call":
        return this.#serveCall(request, audited, { recognised, caller });
      case "list-models":
        return this.#answer(audited, modelList(this.#context.routes(), dialect), { request, caller });
      case "get-model": {
        const model = modelByName(this.#context.routes(), recognised.id, dialect);
        if (model) return this.#answer(audited, model, { request, caller });
        const refusal = { refused: "inference.unknown_model", detail: `no model is called ${recognised.id}` } as const;
        return this.#refuse(audited, refusal, caller);
      }
      case "unknown": {
        const detail = `${method} ${path} is no call that passes`;
        return this.#refuse(audited, { refused: "inference.unknown_request", detail }, caller);
      }
      default:
        return recognised satisfies never;
    }
  }

  async #serveCall(
    request: UnderstoodRequest,
    audited: AuditedRequest,
    { recognised, caller }: { readonly recognised: Extract<Recognised, { kind: "call" }>; readonly caller: Caller },
  ): Promise<Next> {
    const { held } = this.#context;
    const bytes = await readCallBytes(this.#client, request, held);
    if (isRefusal(bytes)) return this.#refuse(audited, bytes, caller);
    using _ = { [Symbol.dispose]: () => held.release(bytes.length) };
    const call = readCall(request, recognised, bytes);
    if (isRefusal(call)) return this.#refuse(audited, call, caller);
    // Not AbortSignal.any, which costs as much as reading the call.
    const left = new AbortController();
    const leave = (): void => left.abort();
    const { signal } = this.#callers;
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    const stopWatching = watchEnd(this.#callers.client, leave);
    const keep = await serveCall(
      {
        connection: this.#callers.connection,
        audited: auditedCall(audited, call),
        call,
        bytesOut: bytes.length,
        caller,
        signal: left.signal,
      },
      this.#context,
    );
    stopWatching();
    signal.removeEventListener("abort", leave);
    return keep && !request.close && !left.signal.aborted ? "keep" : "close";
  }

  /** Answers by itself, without a backend. */
  async #answer(
    audited: AuditedRequest,
    body: object,
    { request, caller }: { readonly request: UnderstoodRequest; readonly caller: Caller },
  ): Promise<Next> {
    // A body that nobody reads would be taken for the next request.
    const close = request.close || request.framing.kind !== "none";
    const text = JSON.stringify(body);
    const { audit } = this.#context;
    const { connection } = this.#callers;
    const call = { ...audited, dialect: caller.dialect, operation: "/models", streamed: false };
    const unrecorded = audit.callAllowed(connection, call);
    if (unrecorded !== undefined) return this.#refuse(audited, unrecorded, caller);
    audit.callCompleted(connection, call, { status: 200, attempts: 0, bytesIn: text.length, bytesOut: 0 });
    return (await caller.answer(200, text, { close })) && !close ? "keep" : "close";
  }

  /** Refuses a request that is no call, or no whole one; the connection ends with it. */
  async #refuse(audited: AuditedRequest, refusal: Refusal, known?: Caller): Promise<Next> {
    const { client, connection } = this.#callers;
    this.#context.audit.requestRefused(connection, audited, refusal);
    const facts = { method: "POST", path: "/", query: [], hasEncodedSlash: false };
    const caller = known ?? new Caller(client, { minor: 1, close: true, facts }, "openai_chat_completions");
    await tellRefusal(caller, refusal, { ...this.#context, callId: audited.id, close: true });
    // What is left belongs to a request that is not read any more.
    this.#client.take(this.#client.bytes.length);
    return "close";
  }
}

function readCall(
  request: UnderstoodRequest,
  { dialect, operation, pathModel }: Extract<Recognised, { kind: "call" }>,
  bytes: Buffer,
): Call | Refusal {
  const coding = fieldValue(request.fields, "content-encoding");
  if (coding !== undefined && coding.toLowerCase() !== "identity") {
    return { refused: "inference.malformed_call", detail: "the body is compressed, which is not read here" };
  }
  const read = readCallBody(bytes);
  if (!read.ok) return { refused: "inference.malformed_call", detail: read.detail };
  // Bedrock has model and manner of answering in the path.
  const stream = operation === "/invoke-with-response-stream";
  const body = pathModel === undefined ? read.body : { ...read.body, model: pathModel, stream };
  const header = (lower: string): string | undefined => fieldValue(request.fields, lower);
  return { dialect, operation, header, query: request.facts.query, body };
}

function auditedCall({ id, startedAt }: AuditedRequest, { dialect, operation, body }: Call): AuditedCall {
  const { model, stream } = body;
  return { id, startedAt, dialect, operation, streamed: stream, ...(model !== undefined && { modelAsked: model }) };
}
