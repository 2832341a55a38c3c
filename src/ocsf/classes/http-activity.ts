/** OCSF class 4002, HTTP Activity: one request on an inspected connection. */
import { type Activity, type EventHead, eventHead, type Occasion } from "../event-head.ts";
import type { ConnectionInfo } from "../objects/connection-info.ts";
import type { Endpoint } from "../objects/endpoint.ts";
import type { HttpRequest, HttpResponse } from "../objects/http.ts";
import type { Process } from "../objects/process.ts";
import type { Traffic } from "../objects/traffic.ts";
import { type Ruling, type RulingAttributes, rulingAttributes } from "../ruling.ts";

const httpActivityClass = {
  uid: 4002,
  name: "HTTP Activity",
  categoryUid: 4,
  categoryName: "Network Activity",
} as const;

const activities: ReadonlyMap<string, Activity> = new Map([
  ["CONNECT", { id: 1, name: "Connect" }],
  ["DELETE", { id: 2, name: "Delete" }],
  ["GET", { id: 3, name: "Get" }],
  ["HEAD", { id: 4, name: "Head" }],
  ["OPTIONS", { id: 5, name: "Options" }],
  ["POST", { id: 6, name: "Post" }],
  ["PUT", { id: 7, name: "Put" }],
  ["TRACE", { id: 8, name: "Trace" }],
  ["PATCH", { id: 9, name: "Patch" }],
]);

/** For methods that OCSF does not list, and for requests that could not be read. */
const otherActivity: Activity = { id: 99, name: "Other" };

export interface HttpActivity extends EventHead<4002>, RulingAttributes {
  readonly actor?: { readonly process: Process };
  readonly src_endpoint?: Endpoint;
  readonly dst_endpoint: Endpoint;
  readonly connection_info: ConnectionInfo;
  readonly http_request: HttpRequest;
  readonly http_response?: HttpResponse;
  readonly http_status?: number;
  readonly traffic?: Traffic;
  readonly start_time: number;
  /** Milliseconds. */
  readonly duration: number;
}

export interface HttpActivityFacts {
  readonly ruling: Ruling;
  readonly process?: Process;
  readonly source?: Endpoint;
  readonly destination: Endpoint;
  readonly connection: ConnectionInfo;
  readonly request: HttpRequest;
  readonly response?: HttpResponse;
  readonly traffic?: Traffic;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly unmapped?: Readonly<Record<string, unknown>>;
}

export function httpActivity(occasion: Occasion, facts: HttpActivityFacts): HttpActivity {
  return {
    ...eventHead(httpActivityClass, activities.get(facts.request.http_method ?? "") ?? otherActivity, occasion),
    ...rulingAttributes(facts.ruling),
    ...(facts.process && { actor: { process: facts.process } }),
    ...(facts.source && { src_endpoint: facts.source }),
    dst_endpoint: facts.destination,
    connection_info: facts.connection,
    http_request: facts.request,
    ...(facts.response && { http_response: facts.response, http_status: facts.response.code }),
    ...(facts.traffic && { traffic: facts.traffic }),
    start_time: facts.startedAt,
    duration: Math.max(0, occasion.time - facts.startedAt),
    ...(facts.unmapped && { unmapped: facts.unmapped }),
  };
}
