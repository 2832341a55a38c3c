/**
 * Step 11: what happened, on record.
 * Takes  the record of whichever step was reached, and what came of it.
 * Gives  nothing, or, where something was about to be allowed, a Refusal if it can't be recorded.
 * Refuses audit.unwritable: what leaves no trace does not leave.
 * Assumes the caller reports a refusal here before it writes the first byte of the answer: when a method returns, the
 *        event of a refusal is in the file.
 */
import type { Destination, RequestFacts, RequestVerdict } from "../../policy/verdict.ts";
import type { Decided, Guarded, Holder, Identified, Intercepted, Peeked, Refusal, SocketPair } from "./connection.ts";

/** A connection as far as it came. */
export type AuditedConnection = Intercepted | Identified | Decided | Guarded | Peeked;

/** A request on an inspected connection, refused or not. */
export interface AuditedRequest {
  /** Unique in this sandbox; also the `request_id` in the answer to a refusal. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly scheme: "http" | "https";
  /** Absent when the request could not be understood. */
  readonly facts?: RequestFacts;
  /** HTTP version as in `1.1`. */
  readonly version?: string;
}

/** What became of a request that was let through. */
export interface RequestOutcome {
  /** Status of the upstream's final response. */
  readonly status: number;
  /** Body bytes from the upstream and to it. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Bytes on a connection's way, as the sandbox sees it: in is what it received. */
export interface TrafficCounts {
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** The address that was dialled, if any was. */
  readonly dialled?: string;
}

/** A datagram that was refused. */
export interface RefusedDatagram {
  readonly client: SocketPair;
  readonly destination: Destination;
  /** Empty if nobody could be found. */
  readonly holders: readonly Holder[];
}

/** A question to policy DNS, answered or refused. */
export interface DnsQuestion {
  readonly name: string;
  /** Record type such as `AAAA`. */
  readonly type: string;
  /** Answer code as RFC 1035 names it: `NOERROR`, `NXDOMAIN`, … */
  readonly rcode: string;
  readonly client: { readonly address: string; readonly port: number };
}

/** A process that the supervisor had started, or that ended. */
export interface AuditedProcess {
  /** Process id as the sandbox sees it. */
  readonly pid: number;
  readonly path: string;
  readonly commandLine: readonly string[];
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** How a process ended. */
export interface ProcessEnd {
  readonly exitCode?: number;
  readonly signal?: string;
}

/** A policy revision that was put in force, or that was turned down. */
export interface ConfigChange {
  readonly version: number;
  readonly hash: string;
  /** Why it was turned down; absent when it is in force. */
  readonly error?: string;
}

/** Something that someone should look at, which is not the refusal of one connection. */
export interface Finding {
  /** Stable word for the kind of finding, such as `landlock_missing`. */
  readonly kind: string;
  readonly title: string;
  readonly description: string;
  readonly severity: "informational" | "low" | "medium" | "high" | "critical";
  /** One sentence on what to do. */
  readonly remedy?: string;
}

export interface Audit {
  /** False while events can't be written. Whatever is allowed then must be refused; the methods below say so. */
  readonly healthy: boolean;

  /** A connection was refused at any step. On disk on return. */
  connectionRefused(connection: AuditedConnection, refusal: Refusal): void;
  /** A connection is about to be opened. On disk on return, or a Refusal to give instead. */
  connectionAllowed(connection: Guarded): Refusal | undefined;
  /** An allowed connection has ended. */
  connectionClosed(connection: Guarded, counts: TrafficCounts): void;
  /** The client turned our leaf certificate down: it does not know the sandbox's authority. */
  clientRejected(connection: AuditedConnection, detail: string): void;

  /**
   * A request is about to be forwarded; `verdict` is what the policy said, which may be a denial that is only logged.
   * Its event is written by `requestCompleted` or `requestRefused`, one of which must follow.
   */
  requestAllowed(connection: AuditedConnection, request: AuditedRequest, verdict: RequestVerdict): Refusal | undefined;
  /** The exchange is over, or has become something else (101 Switching Protocols). */
  requestCompleted(connection: AuditedConnection, request: AuditedRequest, outcome: RequestOutcome): void;
  /** A request was refused, or could not be forwarded. On disk on return. */
  requestRefused(connection: AuditedConnection, request: AuditedRequest, refusal: Refusal): void;

  /** A datagram other than DNS was refused. */
  udpRefused(datagram: RefusedDatagram, refusal: Refusal): void;
  /** Policy DNS answered with a synthetic address, or with none. */
  dnsAnswered(question: DnsQuestion, address?: string): void;
  /** Policy DNS turned a question down. */
  dnsRefused(question: DnsQuestion, refusal: Refusal): void;

  processStarted(process: AuditedProcess): void;
  processExited(process: AuditedProcess, end: ProcessEnd): void;

  /** The supervisor itself. */
  lifecycle(activity: "start" | "stop", detail: string): void;
  configChanged(change: ConfigChange): void;
  finding(finding: Finding): void;
}

/** Which sandbox this is: said in every event. */
export interface SandboxFacts {
  readonly sandboxId: string;
  readonly sandboxName: string;
  readonly workspace: string;
  readonly instanceId: string;
  /** The sandbox's host name inside itself. */
  readonly hostname: string;
  /** Version of this product. */
  readonly version: string;
}
