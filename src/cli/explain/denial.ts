/**
 * What a sandbox's log says of a denial, as a question to the policy. The log is the supervisor's, but the paths and names
 * in it were chosen inside the sandbox: everything here is data to judge and to print, never to run.
 */
import type { SandboxLogLineJson } from "../../gen/openshell/v1/watch_pb.ts";
import { canonicalHost } from "../../net/canonical-host.ts";
import type { HttpActivity } from "../../ocsf/classes/http-activity.ts";
import type { NetworkActivity } from "../../ocsf/classes/network-activity.ts";
import { decisions } from "../../ocsf/enums/decision.ts";
import type { Process } from "../../ocsf/objects/process.ts";
import type { OcsfEvent } from "../../ocsf/ocsf-event.ts";
import type { Attempt } from "../../policy/learn/learn-rules.ts";
import { loggedQuery } from "../../policy/logged-query.ts";
import type { QueryTest } from "../../policy/query-conditions.ts";
import { type ReasonCode, reasonCodes } from "../../policy/reason-codes.ts";
import type { Caller, Destination, RequestFacts } from "../../policy/verdict.ts";
import { websocketText } from "../../policy/websocket-text.ts";

export interface Denial {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly reason: ReasonCode;
  /** What was asked, in the supervisor's words. */
  readonly detail: string;
  /** The rule that denied, or that came nearest when it was denied. */
  readonly rule?: string;
  /** Absent where what was asked for is no host. */
  readonly destination?: Destination;
  /** Every process that held the connection, the one that was asked about first; empty if none was found. */
  readonly callers: readonly Caller[];
  readonly request?: RequestFacts;
  /** As far as it is logged: without the values of a query. */
  readonly url?: string;
  /** It passed all the same: its endpoint has `enforcement: audit`, or the sandbox is only observed. */
  readonly isObserved: boolean;
  /** The address that was refused, where the name as such was allowed. */
  readonly address?: string;
  /** What an interpreter ran, by its own account. */
  readonly script?: string;
  /** The log holds only the beginning of a long path, so that no rule can be made of it. */
  readonly isShortened: boolean;
}

/** Which denial is meant; an absent field matches any. */
export interface DenialFilter {
  readonly destination?: Destination;
  readonly program?: string;
}

/** The newest denial among the lines, which are in order. Lines that are no events of ours are passed over. */
export function lastDenial(lines: readonly SandboxLogLineJson[], filter: DenialFilter): Denial | undefined {
  for (const line of lines.toReversed()) {
    const denial = denialOf(line);
    if (denial !== undefined && !denial.isObserved && isMeant(denial, filter)) return denial;
  }
  return undefined;
}

/** All of them, also those that passed, in the order of the lines; each once for every program that had a hand in it. */
export function attempts(lines: readonly SandboxLogLineJson[]): Attempt[] {
  return lines.flatMap((line) => {
    const denial = denialOf(line);
    // Of what is not wholly on record, nothing can be learned.
    if (denial?.destination === undefined || denial.isShortened) return [];
    const { destination, callers, url: _, detail: __, isShortened: ___, ...said } = denial;
    return callers.map((caller) => ({ ...said, destination, caller }));
  });
}

function isMeant({ destination, callers }: Denial, filter: DenialFilter): boolean {
  if (filter.program !== undefined && !callers.some(({ path }) => path === filter.program)) return false;
  if (filter.destination === undefined) return true;
  return destination?.host === filter.destination.host && destination.port === filter.destination.port;
}

function denialOf(line: SandboxLogLineJson): Denial | undefined {
  const text = line.fields?.["ocsf"];
  if (text === undefined) return undefined;
  // The gateway is trusted to send what the supervisor wrote; only the class and the reason must be looked at.
  const event: OcsfEvent = JSON.parse(text);
  if (event.class_uid !== 4001 && event.class_uid !== 4002) return undefined;
  const reason = event.status_code;
  const isObserved = event.disposition_id === decisions.observed.disposition_id;
  if (!isObserved && event.disposition_id !== decisions.denied.disposition_id) return undefined;
  // The same event comes once more when the request or the connection is over.
  if (event.unmapped?.["in_progress"] === true || event.activity_name === "Close") return undefined;
  if (reason === undefined || !isReasonCode(reason)) return undefined;
  const callers = callersOf(event);
  const request = event.class_uid === 4002 ? requestOf(event) : undefined;
  const destination = destinationOf(event);
  const { hostname, ip } = event.dst_endpoint;
  const script = event.unmapped?.["script"];
  return {
    time: event.time,
    reason,
    detail: event.status_detail ?? event.message,
    callers,
    isObserved,
    ...(hostname !== undefined && ip !== undefined && { address: ip }),
    ...(typeof script === "string" && { script }),
    ...(event.firewall_rule && { rule: event.firewall_rule.name }),
    ...(destination && { destination }),
    ...(request && { request }),
    ...(event.class_uid === 4002 && { url: event.http_request.url.url_string }),
    isShortened:
      [request?.path, callers[0]?.path].some((path) => path?.endsWith(cutMark)) ||
      event.unmapped?.["operations_cut"] === true,
  };
}

/** The end of a text that was too long for the log. */
const cutMark = "…";

function isReasonCode(code: string): code is ReasonCode {
  return Object.hasOwn(reasonCodes, code);
}

function destinationOf({
  dst_endpoint: { hostname, ip, port },
}: NetworkActivity | HttpActivity): Destination | undefined {
  const host = canonicalHost(hostname ?? ip ?? "");
  return host.ok ? { host: host.host, port } : undefined;
}

function callersOf({ actor, unmapped = {} }: NetworkActivity | HttpActivity): Caller[] {
  if (!actor) return [];
  const others = unmapped["other_holders"] as readonly Pick<Process, "path">[] | undefined;
  const ancestors = (actor.process.ancestry ?? []).map(({ path }) => path);
  return [{ path: actor.process.path, ancestors }, ...(others ?? []).map(({ path }) => ({ path, ancestors: [] }))];
}

/** Absent for a request that could not be read: it has no method. */
function requestOf({
  http_request: { http_method: method, url },
  status_code,
  unmapped = {},
}: HttpActivity): RequestFacts | undefined {
  if (method === undefined) return undefined;
  const { graphql, rpc } = unmapped as Pick<RequestFacts, "graphql" | "rpc">;
  const { query_tests: tests = [] } = unmapped as { readonly query_tests?: readonly QueryTest[] };
  const query = Array.from(new URLSearchParams(url.query_string ?? ""));
  const isCut = query.some(([name]) => name.includes(cutMark));
  return {
    method,
    path: url.path,
    query,
    queryHolds: loggedQuery(query, tests, isCut),
    hasEncodedSlash: url.path.includes("%2F"),
    ...((status_code === "inspect.upgrade" || method === websocketText) && { upgrade: "websocket" }),
    ...(graphql && { graphql }),
    ...(rpc && { rpc }),
  };
}
