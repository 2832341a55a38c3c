/**
 * Events of requests that were let through and answered: a kept connection has thousands of them, which say the same but
 * for a few attributes. The first is made like any other event; what the others have in common with it is written once.
 */
import type { HttpActivity } from "../../ocsf/classes/http-activity.ts";
import { shorthandMessage } from "../../ocsf/shorthand.ts";
import { type WrittenEvent, writeAttributes, writeEvent, writeMetadata } from "../../ocsf/write-jsonl.ts";
import type { RequestVerdict } from "../../policy/verdict.ts";
import type { AuditedConnection } from "./audited.ts";
import type { Moment } from "./moment.ts";
import { type AnsweredExchange, answer, httpRequest, requestAllowedEvent } from "./request-events.ts";

/** What each request has of its own. */
type OwnAttributes = Pick<
  HttpActivity,
  "time" | "http_request" | "http_response" | "http_status" | "traffic" | "start_time" | "duration"
>;

/** Requests on one connection that differ in their own attributes alone. */
interface Series {
  readonly method: string | undefined;
  readonly verdict: RequestVerdict;
  /** One of them. */
  readonly event: HttpActivity;
  /** Its JSON, without what each has of its own. */
  readonly rest: string;
}

export class AnsweredRequests {
  /** The last series of each connection: programs choose methods, so that all of them could be many. */
  readonly #series = new WeakMap<AuditedConnection, Series>();

  write(moment: Moment, connection: AuditedConnection, exchange: AnsweredExchange): WrittenEvent {
    // What was read in the contents is different each time.
    if (hasContents(exchange)) return writeEvent(requestAllowedEvent(moment, connection, exchange));
    const { event, rest } = this.#seriesOf(moment, connection, exchange);
    const own = ownAttributes(moment, connection, exchange);
    return {
      time: own.time,
      severityId: event.severity_id,
      shorthand: shorthandMessage({ ...event, ...own }),
      json: `${writeAttributes(own)},${rest}`,
    };
  }

  #seriesOf(moment: Moment, connection: AuditedConnection, exchange: AnsweredExchange): Series {
    const known = this.#series.get(connection);
    if (known !== undefined && belongsTo(known, exchange)) return known;
    const event = requestAllowedEvent(moment, connection, exchange);
    const series = { method: exchange.request.facts?.method, verdict: exchange.verdict, event, rest: writeRest(event) };
    this.#series.set(connection, series);
    return series;
  }
}

function hasContents({ request: { facts } }: AnsweredExchange): boolean {
  return facts?.graphql !== undefined || facts?.rpc !== undefined;
}

/** Whether an event of the exchange says the same as those of the series, but for its own attributes. */
function belongsTo({ method, verdict }: Series, exchange: AnsweredExchange): boolean {
  const other = exchange.verdict;
  if (method !== exchange.request.facts?.method || verdict.rule !== other.rule) return false;
  return verdict.kind === "allow" ? other.kind === "allow" : other.kind === "deny" && verdict.reason === other.reason;
}

function ownAttributes(
  { time }: Moment,
  connection: AuditedConnection,
  { request, outcome }: AnsweredExchange,
): OwnAttributes {
  const { response, traffic } = answer(outcome);
  return {
    time,
    http_request: httpRequest(connection, request),
    http_response: response,
    http_status: response.code,
    traffic,
    start_time: request.startedAt,
    duration: Math.max(0, time - request.startedAt),
  };
}

function writeRest(event: HttpActivity): string {
  const { metadata, time, http_request, http_response, http_status, traffic, start_time, duration, ...rest } = event;
  return `${writeAttributes(rest).slice(1)},${writeMetadata(metadata)}`;
}
