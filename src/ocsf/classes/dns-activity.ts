/** OCSF class 4003, DNS Activity: a question to policy DNS and what it was answered. */
import { type EventHead, eventHead, type Occasion } from "../event-head.ts";
import type { Endpoint } from "../objects/endpoint.ts";
import { type Ruling, type RulingAttributes, rulingAttributes } from "../ruling.ts";

const dnsActivityClass = {
  uid: 4003,
  name: "DNS Activity",
  categoryUid: 4,
  categoryName: "Network Activity",
} as const;

/** Question and answer in one event. */
const trafficActivity = { id: 6, name: "Traffic" } as const;

/** Answer codes by name, as IANA lists them. */
const rcodeIds: Readonly<Record<string, number>> = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
};

const otherRcode = 99;

export interface DnsActivity extends EventHead<4003>, RulingAttributes {
  readonly src_endpoint: Endpoint;
  readonly query: { readonly hostname: string; readonly type: string; readonly class: string };
  readonly answers?: readonly { readonly rdata: string; readonly type: string }[];
  readonly rcode: string;
  readonly rcode_id: number;
}

export interface DnsActivityFacts {
  readonly ruling: Ruling;
  readonly source: Endpoint;
  readonly name: string;
  /** Record type such as `AAAA`. */
  readonly type: string;
  readonly rcode: string;
  /** The synthetic address that was given out. */
  readonly answer?: string;
}

export function dnsActivity(occasion: Occasion, facts: DnsActivityFacts): DnsActivity {
  return {
    ...eventHead(dnsActivityClass, trafficActivity, occasion),
    ...rulingAttributes(facts.ruling),
    src_endpoint: facts.source,
    query: { hostname: facts.name, type: facts.type, class: "IN" },
    ...(facts.answer !== undefined && { answers: [{ rdata: facts.answer, type: facts.type }] }),
    rcode: facts.rcode,
    rcode_id: rcodeIds[facts.rcode] ?? otherRcode,
  };
}
