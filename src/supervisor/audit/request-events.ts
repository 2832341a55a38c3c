/** Events of class HTTP Activity: a request refused, let through, or over. */
import { type HttpActivity, httpActivity } from "../../ocsf/classes/http-activity.ts";
import { type HttpRequest, type HttpResponse, url } from "../../ocsf/objects/http.ts";
import { type Traffic, traffic } from "../../ocsf/objects/traffic.ts";
import type { Ruling } from "../../ocsf/ruling.ts";
import { queryTests } from "../../policy/query-conditions.ts";
import { reasonEntry } from "../../policy/reason-codes.ts";
import type { RequestVerdict } from "../../policy/verdict.ts";
import type { Refusal } from "../egress/connection.ts";
import type { AuditedConnection, AuditedRequest, RequestOutcome } from "./audited.ts";
import { revisionOf } from "./connection-events.ts";
import { connectionFacts } from "./connection-facts.ts";
import { type Moment, occasion, refusedOccasion, refusedRuling } from "./moment.ts";
import { operationFacts } from "./operation-facts.ts";

/** Characters of a method that are logged: any token is one, however long. */
const shownMethod = 32;

/** Conditions of rules on a query that are logged: the policy has as many as its author likes. */
const shownTests = 32;

/** A request that was let through. Without an outcome it is not over yet. */
export interface Exchange {
  readonly request: AuditedRequest;
  readonly verdict: RequestVerdict;
  readonly outcome?: RequestOutcome;
}

/** One that is over. */
export type AnsweredExchange = Required<Exchange>;

export function requestAllowedEvent(moment: Moment, connection: AuditedConnection, exchange: Exchange): HttpActivity {
  const { request, verdict, outcome } = exchange;
  const severity = verdict.kind === "deny" ? reasonEntry(verdict.reason).severity : "informational";
  const message = `${describe(connection, request)} ${verdict.kind === "deny" ? "let pass, since it is only audited" : "allowed"}`;
  const facts = verdict.kind === "deny" ? refusedFacts(connection, request) : requestFacts(connection, request);
  return httpActivity(occasion(moment, { severity, message, correlation: connection.id }), {
    ...facts,
    ruling: passedRuling(verdict, revisionOf(connection)),
    ...(outcome && answer(outcome)),
    ...(!outcome && { unmapped: { ...facts.unmapped, in_progress: true } }),
  });
}

export function requestRefusedEvent(
  moment: Moment,
  connection: AuditedConnection,
  refused: { readonly request: AuditedRequest; readonly refusal: Refusal },
): HttpActivity {
  const { request, refusal } = refused;
  return httpActivity(refusedOccasion(moment, refusal, connection.id), {
    ...refusedFacts(connection, request),
    ruling: refusedRuling(refusal, revisionOf(connection)),
  });
}

/** What all events of one request say. */
function requestFacts(connection: AuditedConnection, request: AuditedRequest) {
  const facts = connectionFacts(connection);
  return {
    ...facts,
    unmapped: { ...facts.unmapped, ...(request.facts && operationFacts(request.facts)) },
    request: httpRequest(connection, request),
    startedAt: request.startedAt,
  };
}

/** And of one that rules refused, or would have: which of their conditions on the query held, without its values. */
function refusedFacts(connection: AuditedConnection, request: AuditedRequest) {
  const facts = requestFacts(connection, request);
  const asked = request.facts;
  if (asked === undefined || !("endpoints" in connection)) return facts;
  const tests = connection.endpoints.flatMap(({ endpoint }) => queryTests(endpoint, asked).flat());
  if (tests.length === 0) return facts;
  return { ...facts, unmapped: { ...facts.unmapped, query_tests: tests.slice(0, shownTests) } };
}

/** A verdict that let the request pass: an allow, or a denial on endpoints that are only audited. */
function passedRuling(verdict: RequestVerdict, revision: number | undefined): Ruling {
  return {
    ...(verdict.kind === "allow"
      ? { decision: "allowed" }
      : { decision: "observed", reason: verdict.reason, detail: reasonEntry(verdict.reason).sentence }),
    ...(verdict.rule !== undefined && { rule: verdict.rule }),
    ...(revision !== undefined && { revision }),
  };
}

/** What the outcome says, in the objects of OCSF. */
export function answer({ status, bytesIn, bytesOut }: RequestOutcome): { response: HttpResponse; traffic: Traffic } {
  return { response: { code: status, body_length: bytesIn }, traffic: traffic(bytesIn, bytesOut) };
}

export function httpRequest(
  connection: AuditedConnection,
  { id, scheme, facts, version }: AuditedRequest,
): HttpRequest {
  const { host, port } = connection.destination;
  return {
    uid: id,
    ...(facts && { http_method: facts.method.slice(0, shownMethod) }),
    url: url({ scheme, host, port, ...(facts && { path: facts.path, query: facts.query }) }),
    ...(version !== undefined && { version }),
  };
}

/** In words, without the query. */
function describe(connection: AuditedConnection, { facts }: AuditedRequest): string {
  return facts
    ? `${facts.method.slice(0, shownMethod)} on ${connection.destination.host}`
    : `request to ${connection.destination.host}`;
}
