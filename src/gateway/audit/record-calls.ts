/**
 * Who asked the gateway for what, and whether they got it: on record before they have the answer. What only tells something
 * (lists, logs, health, which clients ask for all the time) and what supervisors report is recorded when it is refused.
 */
import { randomUUID } from "node:crypto";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { type ApiMethod, accessTable, type Rule } from "../access/access-table.ts";
import { openingOf } from "../access/address.ts";
import { codeName } from "../health/observer.ts";
import { callerKey, peerKey } from "../server/caller.ts";
import type { AuditedCall } from "./call-event.ts";
import { callSubjects } from "./call-subjects.ts";

export interface CallRecorder {
  /** The call's event is stored when the promise is kept; it never fails. */
  record(call: AuditedCall): Promise<void>;
}

/** Codes with which a caller is turned away for what it is. */
const refusals: readonly Code[] = [Code.Unauthenticated, Code.PermissionDenied];

/** Characters of the words of a refusal that are logged. */
const shownRefusal = 256;

type Request = Parameters<ReturnType<Interceptor>>[0];

export function recordCalls(recorder: CallRecorder, now: () => number): Interceptor {
  return (next) => async (request) => {
    const startedAt = now();
    let subject: object | undefined = request.stream ? undefined : request.message;
    const told = () => ({ startedAt, subject: subject ?? {} });
    const asked = request.stream
      ? { ...request, message: noting(request.message, (first) => (subject = first)) }
      : request;
    const record = async (error?: unknown) => {
      const call = auditedCall(request, told(), error);
      if (call !== undefined) await recorder.record(call);
    };
    try {
      const response = await next(asked as typeof request);
      if (!response.stream) await record();
      return response.stream ? { ...response, message: recording(response.message, record) } : response;
    } catch (error) {
      await record(error);
      throw error;
    }
  };
}

/** Undefined for a call that leaves no trace. */
function auditedCall(
  { service, method, contextValues }: Request,
  { startedAt, subject }: { readonly startedAt: number; readonly subject: object },
  error: unknown,
): AuditedCall | undefined {
  const failure = error === undefined ? undefined : ConnectError.from(error);
  const isRefused = failure !== undefined && refusals.includes(failure.code);
  const rule = accessTable[method.localName as ApiMethod] as Rule | undefined;
  const changes = rule?.for === "user" && rule.role !== "viewer";
  if (!changes && !isRefused) return undefined;
  return {
    id: randomUUID(),
    startedAt,
    service: service.typeName,
    method: method.name,
    caller: contextValues.get(callerKey),
    source: contextValues.get(peerKey),
    resources: callSubjects(method.name, openingOf(subject) as Readonly<Record<string, unknown>>),
    ...(failure !== undefined && { error: codeName(failure.code) }),
    ...(isRefused && { refusal: failure.rawMessage.slice(0, shownRefusal) }),
  };
}

/** The messages, of which the first says what the call is about. */
async function* noting<T extends object>(messages: AsyncIterable<T>, note: (first: T) => void): AsyncGenerator<T> {
  let isFirst = true;
  for await (const message of messages) {
    if (isFirst) note(message);
    isFirst = false;
    yield message;
  }
}

/** The answers. A stream may last for hours, so it is on record with its first one, or with its failure before that. */
async function* recording<T>(answers: AsyncIterable<T>, record: (error?: unknown) => Promise<void>): AsyncGenerator<T> {
  let isRecorded = false;
  try {
    for await (const answer of answers) {
      if (!isRecorded) await record();
      isRecorded = true;
      yield answer;
    }
    if (!isRecorded) await record();
  } catch (error) {
    if (!isRecorded) await record(error);
    throw error;
  }
}
