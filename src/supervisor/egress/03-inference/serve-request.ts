/**
 * One request of a caller's, whichever version of HTTP it came by: a call to a model, a question about models, or nothing
 * that passes.
 * Takes  a request that was understood, and the means to read its body and to answer it.
 * Gives  whether its connection can carry another one.
 * Refuses inference.*; in the caller's dialect, and on record.
 */
import type { Call } from "../../../inference/backend-request.ts";
import { readCallBody } from "../../../inference/call-body.ts";
import { callersDialect, type Recognised, recognise } from "../../../inference/recognise.ts";
import { type Field, fieldValue } from "../../../net/http1-fields.ts";
import type { RequestFacts } from "../../../policy/verdict.ts";
import type { AuditedCall, AuditedRequest } from "../11-audit.ts";
import { type Identified, isRefusal, type Refusal } from "../connection.ts";
import type { Caller } from "./caller.ts";
import type { InferenceContext } from "./context.ts";
import { modelByName, modelList } from "./list-models.ts";
import { serveCall } from "./serve-call.ts";
import { tellRefusal } from "./tell-refusal.ts";

export interface CallerRequest {
  readonly connection: Identified;
  readonly facts: RequestFacts;
  readonly fields: readonly Field[];
  readonly audited: AuditedRequest;
  readonly caller: Caller;
  /** Whether there is a body, which nobody reads if this is no call. */
  readonly hasBody: boolean;
  /** The whole body; its length is then held until it is released. */
  readonly readBody: () => Promise<Buffer | Refusal>;
  /** Watches, until it is disposed of, whether the caller goes away. Once the body has been read. */
  readonly watchCaller: () => Disposable & { readonly left: AbortSignal };
}

type KnownCall = Extract<Recognised, { kind: "call" }>;

export async function serveRequest(request: CallerRequest, context: InferenceContext): Promise<boolean> {
  const { facts, caller } = request;
  const { method, path, upgrade } = facts;
  if (upgrade !== undefined) {
    const detail = `${path} was asked for a WebSocket`;
    return refuseRequest(request, { refused: "inference.websocket", detail }, context);
  }
  const recognised = recognise(method, path);
  switch (recognised.kind) {
    case "call":
      return serveRecognised(request, recognised, context);
    case "list-models":
      return answer(request, modelList(context.routes(), caller.dialect), context);
    case "get-model": {
      const model = modelByName(context.routes(), recognised.id, caller.dialect);
      if (model) return answer(request, model, context);
      const detail = `no model is called ${recognised.id}`;
      return refuseRequest(request, { refused: "inference.unknown_model", detail }, context);
    }
    case "unknown": {
      const detail = `${method} ${path} is no call that passes`;
      return refuseRequest(request, { refused: "inference.unknown_request", detail }, context);
    }
    default:
      return recognised satisfies never;
  }
}

/** In which dialect a request is answered. */
export function dialectOf({ path }: RequestFacts, fields: readonly Field[]): Caller["dialect"] {
  return callersDialect(path, (lower) => fieldValue(fields, lower) !== undefined);
}

/** Refuses a request that is no call, or no whole one; its connection can carry no other. */
export async function refuseRequest(
  { connection, audited, caller }: Pick<CallerRequest, "connection" | "audited" | "caller">,
  refusal: Refusal,
  context: InferenceContext,
): Promise<false> {
  context.audit.requestRefused(connection, audited, refusal);
  await tellRefusal(caller, refusal, { ...context, callId: audited.id, close: true });
  return false;
}

async function serveRecognised(
  request: CallerRequest,
  recognised: KnownCall,
  context: InferenceContext,
): Promise<boolean> {
  const { held } = context;
  const bytes = await request.readBody();
  if (isRefusal(bytes)) return refuseRequest(request, bytes, context);
  using _ = { [Symbol.dispose]: () => held.release(bytes.length) };
  const call = readCall(request, recognised, bytes);
  if (isRefusal(call)) return refuseRequest(request, call, context);
  const { connection, audited, caller } = request;
  using watch = request.watchCaller();
  const parts = { connection, audited: auditedCall(audited, call), call, bytesOut: bytes.length, caller };
  const keep = await serveCall({ ...parts, signal: watch.left }, context);
  return keep && !watch.left.aborted;
}

/** Answers by itself, without a backend. */
async function answer(request: CallerRequest, body: object, context: InferenceContext): Promise<boolean> {
  const { connection, audited, caller, hasBody } = request;
  const text = JSON.stringify(body);
  const call = { ...audited, dialect: caller.dialect, operation: "/models", streamed: false };
  const unrecorded = context.audit.callAllowed(connection, call);
  if (unrecorded !== undefined) return refuseRequest(request, unrecorded, context);
  context.audit.callCompleted(connection, call, { status: 200, attempts: 0, bytesIn: text.length, bytesOut: 0 });
  // A body that nobody reads would be taken for the next request.
  return (await caller.answer(200, text, { close: hasBody })) && !hasBody;
}

function readCall(
  { facts, fields }: CallerRequest,
  { dialect, operation, pathModel }: KnownCall,
  bytes: Buffer,
): Call | Refusal {
  const coding = fieldValue(fields, "content-encoding");
  if (coding !== undefined && coding.toLowerCase() !== "identity") {
    return { refused: "inference.malformed_call", detail: "the body is compressed, which is not read here" };
  }
  const read = readCallBody(bytes);
  if (!read.ok) return { refused: "inference.malformed_call", detail: read.detail };
  // Bedrock has model and manner of answering in the path.
  const stream = operation === "/invoke-with-response-stream";
  const body = pathModel === undefined ? read.body : { ...read.body, model: pathModel, stream };
  const header = (lower: string): string | undefined => fieldValue(fields, lower);
  return { dialect, operation, header, query: facts.query, body };
}

function auditedCall({ id, startedAt }: AuditedRequest, { dialect, operation, body }: Call): AuditedCall {
  const { model, stream } = body;
  return { id, startedAt, dialect, operation, streamed: stream, ...(model !== undefined && { modelAsked: model }) };
}
