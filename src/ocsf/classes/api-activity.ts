/** OCSF class 6003, API Activity: one call to a model. Contents are never in it, only how much there was of them. */
import { type Activity, type EventHead, eventHead, type Occasion } from "../event-head.ts";
import type { ConnectionInfo } from "../objects/connection-info.ts";
import type { Endpoint } from "../objects/endpoint.ts";
import type { HttpResponse } from "../objects/http.ts";
import type { Process } from "../objects/process.ts";
import { type Ruling, type RulingAttributes, rulingAttributes } from "../ruling.ts";

const apiActivityClass = {
  uid: 6003,
  name: "API Activity",
  categoryUid: 6,
  categoryName: "Application Activity",
} as const;

/** A model makes something that was not there before; its list is only read. */
const create: Activity = { id: 1, name: "Create" };
const read: Activity = { id: 2, name: "Read" };

export interface ApiActivity extends EventHead<6003>, RulingAttributes {
  readonly actor: { readonly process?: Process; readonly app_name?: string };
  readonly src_endpoint: Endpoint;
  readonly dst_endpoint: Endpoint;
  readonly api: Api;
  readonly http_response?: HttpResponse;
  readonly start_time: number;
  /** Milliseconds. */
  readonly duration: number;
  readonly unmapped: ModelCall;
}

interface Api {
  /** `anthropic_messages /messages`. */
  readonly operation: string;
  readonly request: { readonly uid: string };
  readonly service: { readonly name: string };
}

/** What OCSF 1.7 has no attributes for; the gateway sums usage from these. */
export type ModelCall = {
  readonly connection: ConnectionInfo;
  /** Absent once the call is over. */
  readonly in_progress?: true;
  readonly streamed: boolean;
  readonly model_asked?: string;
  readonly model_served?: string;
  readonly route?: string;
  readonly provider?: string;
  readonly attempts?: number;
  readonly tokens_in?: number;
  readonly tokens_out?: number;
  readonly tokens_estimated?: true;
  readonly first_byte_ms?: number;
  readonly bytes_in?: number;
  readonly bytes_out?: number;
};

export interface ApiActivityFacts {
  readonly ruling: Ruling;
  readonly process?: Process;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly operation: string;
  readonly activity: "create" | "read";
  /** Of the one call. */
  readonly uid: string;
  /** What it was asked of. */
  readonly service: string;
  readonly response?: HttpResponse;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly call: ModelCall;
}

export function apiActivity(occasion: Occasion, facts: ApiActivityFacts): ApiActivity {
  return {
    ...eventHead(apiActivityClass, facts.activity === "read" ? read : create, occasion),
    ...rulingAttributes(facts.ruling),
    // The class wants an actor; whoever could not be found is still somebody of the sandbox.
    actor: facts.process ? { process: facts.process } : { app_name: "unknown" },
    src_endpoint: facts.source,
    dst_endpoint: facts.destination,
    api: { operation: facts.operation, request: { uid: facts.uid }, service: { name: facts.service } },
    ...(facts.response && { http_response: facts.response }),
    start_time: facts.startedAt,
    duration: Math.max(0, occasion.time - facts.startedAt),
    unmapped: facts.call,
  };
}
