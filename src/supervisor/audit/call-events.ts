/** Events of class API Activity: a call to a model answered, refused, or under way for long. */
import {
  type ApiActivity,
  type ApiActivityFacts,
  apiActivity,
  type ModelCall,
} from "../../ocsf/classes/api-activity.ts";
import type { Refusal } from "../egress/connection.ts";
import type { AuditedCall, AuditedConnection, CallOutcome } from "./audited.ts";
import { connectionFacts } from "./connection-facts.ts";
import { type Moment, occasion, refusedOccasion, refusedRuling } from "./moment.ts";

/** Characters of a model's name that are logged: the caller and the backend say what they like. */
const shownModel = 128;

/** A call as far as it came. Without an outcome it is not over yet. */
export interface CallSoFar {
  readonly call: AuditedCall;
  readonly outcome?: CallOutcome;
}

export function callAllowedEvent(moment: Moment, connection: AuditedConnection, soFar: CallSoFar): ApiActivity {
  const { call, outcome } = soFar;
  const message = `call to a model ${outcome ? "answered" : "under way"}`;
  return apiActivity(occasion(moment, { message, correlation: connection.id }), {
    ...callFacts(connection, call),
    ruling: { decision: "allowed" },
    ...(outcome?.status !== undefined && { response: { code: outcome.status, body_length: outcome.bytesIn } }),
    call: { ...modelCall(connection, soFar), ...(!outcome && { in_progress: true }) },
  });
}

export function callRefusedEvent(
  moment: Moment,
  connection: AuditedConnection,
  refused: CallSoFar & { readonly refusal: Refusal },
): ApiActivity {
  const { call, refusal } = refused;
  return apiActivity(refusedOccasion(moment, refusal, connection.id), {
    ...callFacts(connection, call),
    ruling: refusedRuling(refusal),
    call: modelCall(connection, refused),
  });
}

function callFacts(
  connection: AuditedConnection,
  { id, startedAt, dialect, operation }: AuditedCall,
): Omit<ApiActivityFacts, "ruling" | "response" | "call"> {
  const { process, source, destination } = connectionFacts(connection);
  return {
    ...(process && { process }),
    source,
    destination,
    operation: `${dialect} ${operation}`,
    activity: operation === "/models" ? "read" : "create",
    uid: id,
    service: connection.destination.host,
    startedAt,
  };
}

function modelCall(connection: AuditedConnection, { call, outcome }: CallSoFar): ModelCall {
  return {
    connection: connectionFacts(connection).connection,
    streamed: call.streamed,
    ...(call.modelAsked !== undefined && { model_asked: call.modelAsked.slice(0, shownModel) }),
    ...(outcome && outcomeOf(outcome)),
  };
}

function outcomeOf(outcome: CallOutcome): Partial<ModelCall> {
  const { modelServed, route, provider, inputTokens, outputTokens, firstByteMs } = outcome;
  return {
    ...(modelServed !== undefined && { model_served: modelServed.slice(0, shownModel) }),
    ...(route !== undefined && { route }),
    ...(provider !== undefined && { provider }),
    attempts: outcome.attempts,
    ...(inputTokens !== undefined && { tokens_in: inputTokens }),
    ...(outputTokens !== undefined && { tokens_out: outputTokens }),
    ...(outcome.tokensEstimated && { tokens_estimated: true }),
    ...(firstByteMs !== undefined && { first_byte_ms: firstByteMs }),
    bytes_in: outcome.bytesIn,
    bytes_out: outcome.bytesOut,
  };
}
