/** Events of class DNS Activity: questions to policy DNS. */
import { type DnsActivity, dnsActivity } from "../../ocsf/classes/dns-activity.ts";
import { endpoint } from "../../ocsf/objects/endpoint.ts";
import type { Refusal } from "../egress/connection.ts";
import type { DnsQuestion } from "./audited.ts";
import { type Moment, occasion, refusedOccasion, refusedRuling } from "./moment.ts";

/** `address` is the synthetic address that was given out; absent for record types that are answered with nothing. */
export function dnsAnsweredEvent(moment: Moment, question: DnsQuestion, address?: string): DnsActivity {
  const message = `${question.type} of ${question.name} answered inside the sandbox`;
  return dnsActivity(occasion(moment, { message }), {
    ruling: { decision: "allowed" },
    ...questionFacts(question),
    ...(address !== undefined && { answer: address }),
  });
}

export function dnsRefusedEvent(moment: Moment, question: DnsQuestion, refusal: Refusal): DnsActivity {
  return dnsActivity(refusedOccasion(moment, refusal), { ruling: refusedRuling(refusal), ...questionFacts(question) });
}

function questionFacts({ name, type, rcode, client }: DnsQuestion) {
  return { name, type, rcode, source: endpoint(client.address, client.port) };
}
