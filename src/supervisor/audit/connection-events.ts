/** Events of class Network Activity: a connection or datagram refused, a connection opened and closed. */
import { type NetworkActivity, networkActivity } from "../../ocsf/classes/network-activity.ts";
import { connectionInfo } from "../../ocsf/objects/connection-info.ts";
import { endpoint } from "../../ocsf/objects/endpoint.ts";
import { traffic } from "../../ocsf/objects/traffic.ts";
import type { Ruling } from "../../ocsf/ruling.ts";
import { reasonEntry } from "../../policy/reason-codes.ts";
import type { Guarded, Refusal } from "../egress/connection.ts";
import type { AuditedConnection, RefusedDatagram, TrafficCounts } from "./audited.ts";
import { connectionFacts, holderProcess, socketFacts } from "./connection-facts.ts";
import { type Moment, occasion, refusedOccasion, refusedRuling } from "./moment.ts";

export function connectionRefusedEvent(
  moment: Moment,
  connection: AuditedConnection,
  refusal: Refusal,
): NetworkActivity {
  const ruling = refusedRuling(withRule(refusal, connection), revisionOf(connection));
  return networkActivity(refusedOccasion(moment, refusal, connection.id), {
    ...connectionFacts(connection, refusal.address),
    // What failed after it was allowed is Fail; what was denied is an attempt to open, with the disposition Blocked.
    activity: ruling.decision === "failed" ? "fail" : "open",
    ruling,
    startedAt: connection.startedAt,
  });
}

export function connectionAllowedEvent(moment: Moment, connection: Guarded): NetworkActivity {
  const { host, port } = connection.destination;
  const { observed, rule } = connection;
  const severity = observed === undefined ? "informational" : reasonEntry(observed.reason).severity;
  const why = observed === undefined ? `allowed by rule ${rule}` : "let pass, since the sandbox is only observed";
  const message = `connection to ${host}:${port} ${why}`;
  return networkActivity(occasion(moment, { severity, message, correlation: connection.id }), {
    ...connectionFacts(connection),
    activity: "open",
    ruling: passedRuling(connection),
    startedAt: connection.startedAt,
  });
}

export function connectionClosedEvent(moment: Moment, connection: Guarded, counts: TrafficCounts): NetworkActivity {
  const { host, port } = connection.destination;
  const message = `connection to ${host}:${port} closed`;
  return networkActivity(occasion(moment, { message, correlation: connection.id }), {
    ...connectionFacts(connection, counts.dialled),
    activity: "close",
    ruling: passedRuling(connection),
    traffic: traffic(counts.bytesIn, counts.bytesOut),
    startedAt: connection.startedAt,
  });
}

/** By a rule; or by none, where nothing is denied. */
function passedRuling({ rule, revision, observed }: Guarded): Ruling {
  if (observed === undefined) return { decision: "allowed", rule, revision };
  return { decision: "observed", ...observed, detail: reasonEntry(observed.reason).sentence, revision };
}

export function datagramRefusedEvent(moment: Moment, datagram: RefusedDatagram, refusal: Refusal): NetworkActivity {
  const [holder] = datagram.holders;
  const { host, port } = datagram.destination;
  return networkActivity(refusedOccasion(moment, refusal), {
    activity: "open",
    ruling: refusedRuling(refusal),
    ...(holder && { process: holderProcess(holder) }),
    ...socketFacts(datagram.client),
    destination: endpoint(host, port),
    connection: connectionInfo("udp", datagram.client.family),
  });
}

/** The revision that let the connection through step 4; a refusal before that has none. */
export function revisionOf(connection: AuditedConnection): number | undefined {
  return "revision" in connection ? connection.revision : undefined;
}

/** A refusal after step 4 need not repeat the rule that had let the connection through. */
function withRule(refusal: Refusal, connection: AuditedConnection): Refusal {
  return refusal.rule === undefined && "rule" in connection ? { ...refusal, rule: connection.rule } : refusal;
}
