/**
 * OCSF class 6003, API Activity: one call to a model, or one to the gateway. Contents are never in it, of a call to a model
 * only how much there was of them.
 */
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

/** What a call does. A model makes something that was not there before; its list is only read. */
export type ApiActivityName = keyof typeof activities;

const activities = {
  create: { id: 1, name: "Create" },
  read: { id: 2, name: "Read" },
  update: { id: 3, name: "Update" },
  delete: { id: 4, name: "Delete" },
  /** Of none of these kinds: a command was run, a connection forwarded. */
  other: { id: 99, name: "Other" },
} as const satisfies Record<string, Activity>;

export interface ApiActivity extends EventHead<6003>, RulingAttributes {
  readonly actor: ApiActor;
  readonly src_endpoint: Endpoint | NamedEndpoint;
  readonly dst_endpoint?: Endpoint;
  readonly api: Api;
  readonly http_response?: HttpResponse;
  /** What a call to the gateway was about. */
  readonly resources?: readonly Resource[];
  readonly start_time: number;
  readonly duration: number;
  /** Of calls to models. */
  readonly unmapped?: ModelCall;
}

/** A program of a sandbox, or a user of the gateway. */
interface ApiActor {
  readonly process?: Process;
  readonly app_name?: string;
  readonly user?: { readonly name: string };
  readonly idp?: { readonly name: string };
}

/** Where a caller is that came by no network. */
export interface NamedEndpoint {
  readonly name: string;
}

export interface Resource {
  readonly type: string;
  readonly name?: string;
  readonly uid?: string;
  /** Its workspace. */
  readonly namespace?: string;
}

interface Api {
  /** `anthropic_messages /messages`. */
  readonly operation: string;
  readonly request: { readonly uid: string };
  readonly service: { readonly name: string };
  readonly response?: { readonly error: string };
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
  readonly activity: ApiActivityName;
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
    ...eventHead(apiActivityClass, activities[facts.activity], occasion),
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

/** A call that a user made to the gateway. */
export interface GatewayCallFacts {
  readonly ruling: Ruling;
  readonly activity: ApiActivityName;
  /** Absent for a caller that nobody knows. */
  readonly user?: { readonly name: string; readonly identityProvider: string };
  readonly source: Endpoint | NamedEndpoint;
  /** Service and method, as gRPC names them. */
  readonly service: string;
  readonly method: string;
  readonly uid: string;
  readonly resources: readonly Resource[];
  /** As gRPC names it, such as `NOT_FOUND`, for a call that failed. */
  readonly error?: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

export function gatewayCall(occasion: Occasion, facts: GatewayCallFacts): ApiActivity {
  const { user, error, resources } = facts;
  const head: Omit<EventHead<6003>, "unmapped"> = eventHead(apiActivityClass, activities[facts.activity], occasion);
  return {
    ...head,
    ...rulingAttributes(facts.ruling),
    actor: user ? { user: { name: user.name }, idp: { name: user.identityProvider } } : { app_name: "unknown" },
    src_endpoint: facts.source,
    api: {
      operation: facts.method,
      request: { uid: facts.uid },
      service: { name: facts.service },
      ...(error !== undefined && { response: { error } }),
    },
    ...(resources.length > 0 && { resources }),
    start_time: facts.startedAt,
    duration: Math.max(0, occasion.time - facts.startedAt),
  };
}
