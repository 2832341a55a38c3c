/** OCSF class 4001, Network Activity: a connection was opened, refused or closed. */
import { type EventHead, eventHead, type Occasion } from "../event-head.ts";
import type { ConnectionInfo } from "../objects/connection-info.ts";
import type { Endpoint } from "../objects/endpoint.ts";
import type { Process } from "../objects/process.ts";
import type { Traffic } from "../objects/traffic.ts";
import { type Ruling, type RulingAttributes, rulingAttributes } from "../ruling.ts";

/** What was done, or tried: a refused attempt to open is `open` too, with the disposition Blocked. */
export type NetworkActivityName = keyof typeof activities;

const activities = {
  open: { id: 1, name: "Open" },
  close: { id: 2, name: "Close" },
  fail: { id: 4, name: "Fail" },
} as const;

const networkActivityClass = {
  uid: 4001,
  name: "Network Activity",
  categoryUid: 4,
  categoryName: "Network Activity",
} as const;

export interface NetworkActivity extends EventHead<4001>, RulingAttributes {
  readonly actor?: { readonly process: Process };
  readonly src_endpoint?: Endpoint;
  readonly dst_endpoint: Endpoint;
  readonly connection_info: ConnectionInfo;
  readonly traffic?: Traffic;
  readonly start_time?: number;
  readonly end_time?: number;
  /** Milliseconds. */
  readonly duration?: number;
}

export interface NetworkActivityFacts {
  readonly activity: NetworkActivityName;
  readonly ruling: Ruling;
  readonly process?: Process;
  readonly source?: Endpoint;
  readonly destination: Endpoint;
  readonly connection: ConnectionInfo;
  readonly traffic?: Traffic;
  /** Milliseconds since the epoch. */
  readonly startedAt?: number;
  readonly unmapped?: Readonly<Record<string, unknown>>;
}

export function networkActivity(occasion: Occasion, facts: NetworkActivityFacts): NetworkActivity {
  const ended = facts.activity === "close";
  return {
    ...eventHead(networkActivityClass, activities[facts.activity], occasion),
    ...rulingAttributes(facts.ruling),
    ...(facts.process && { actor: { process: facts.process } }),
    ...(facts.source && { src_endpoint: facts.source }),
    dst_endpoint: facts.destination,
    connection_info: facts.connection,
    ...(facts.traffic && { traffic: facts.traffic }),
    ...(facts.startedAt !== undefined && { start_time: facts.startedAt }),
    ...(ended && { end_time: occasion.time }),
    ...(ended && facts.startedAt !== undefined && { duration: Math.max(0, occasion.time - facts.startedAt) }),
    ...(facts.unmapped && { unmapped: facts.unmapped }),
  };
}
