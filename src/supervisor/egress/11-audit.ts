/**
 * Step 11: what happened, on record.
 * Takes  the record of whichever step was reached, and what came of it.
 * Gives  nothing, or, where something was about to be allowed, a Refusal if it can't be recorded.
 * Refuses audit.unwritable: what leaves no trace does not leave.
 * Assumes the caller reports a refusal here before it writes the first byte of the answer: when a method returns, the
 *        event of a refusal is in the file, or that of an equal one a few seconds before it.
 */
import { applicationLifecycle } from "../../ocsf/classes/application-lifecycle.ts";
import type { Reporter } from "../../ocsf/event-head.ts";
import { type SandboxNames, sandboxDevice } from "../../ocsf/objects/device.ts";
import type { OcsfEvent } from "../../ocsf/ocsf-event.ts";
import { RepeatedEvents } from "../../ocsf/repeated-events.ts";
import { writeEvent } from "../../ocsf/write-jsonl.ts";
import { reasonEntry } from "../../policy/reason-codes.ts";
import type { RequestVerdict } from "../../policy/verdict.ts";
import { AnsweredRequests } from "../audit/answered-requests.ts";
import type { AuditLog, Urgency } from "../audit/audit-log.ts";
import type {
  AuditedCall,
  AuditedConnection,
  AuditedProcess,
  AuditedRequest,
  AuditedSsh,
  CallingProgram,
  CallOutcome,
  ConfigChange,
  DnsQuestion,
  Finding,
  ProcessEnd,
  RefusedDatagram,
  RefusedFileChange,
  RefusedKernelCalls,
  RequestOutcome,
  TrafficCounts,
} from "../audit/audited.ts";
import { callAllowedEvent, callRefusedEvent } from "../audit/call-events.ts";
import {
  connectionAllowedEvent,
  connectionClosedEvent,
  connectionRefusedEvent,
  datagramRefusedEvent,
} from "../audit/connection-events.ts";
import { dnsAnsweredEvent, dnsRefusedEvent } from "../audit/dns-events.ts";
import { fileRefusedEvent } from "../audit/file-events.ts";
import { type Moment, occasion } from "../audit/moment.ts";
import { Overdue } from "../audit/overdue.ts";
import { type RefusedActivity, refusalKind } from "../audit/refusal-kind.ts";
import { refusedCallsEvent } from "../audit/refused-call-events.ts";
import { requestAllowedEvent, requestRefusedEvent } from "../audit/request-events.ts";
import { configEvent, findingEvent, processEvent } from "../audit/sandbox-events.ts";
import { sshEvent } from "../audit/ssh-events.ts";
import type { Guarded, Refusal } from "./connection.ts";

export type {
  AuditedCall,
  AuditedConnection,
  AuditedProcess,
  AuditedRequest,
  CallingProgram,
  CallOutcome,
  ConfigChange,
  DnsQuestion,
  Finding,
  ProcessEnd,
  RefusedDatagram,
  RefusedFileChange,
  RefusedKernelCalls,
  RequestOutcome,
  TrafficCounts,
};

export interface Audit {
  /** False while events can't be written. Whatever is allowed then must be refused; the methods below say so. */
  readonly healthy: boolean;

  /** A connection was refused at any step. On disk on return; one that equals another of the last seconds is counted there. */
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
  /** A request was refused, or could not be forwarded. On disk on return, or counted. */
  requestRefused(connection: AuditedConnection, request: AuditedRequest, refusal: Refusal): void;

  /**
   * A call to a model is about to be forwarded. Its event is written by `callCompleted` or `callRefused`, one of which
   * must follow.
   */
  callAllowed(connection: AuditedConnection, call: AuditedCall): Refusal | undefined;
  /** The call has been answered. */
  callCompleted(connection: AuditedConnection, call: AuditedCall, outcome: CallOutcome): void;
  /** A call was refused, or its backend failed. On disk on return. */
  callRefused(connection: AuditedConnection, call: AuditedCall, refused: RefusedCall): void;

  /** A datagram other than DNS was refused. */
  udpRefused(datagram: RefusedDatagram, refusal: Refusal): void;
  /** Policy DNS answered with a synthetic address, or with none. */
  dnsAnswered(question: DnsQuestion, address?: string): void;
  /** Policy DNS turned a question down. */
  dnsRefused(question: DnsQuestion, refusal: Refusal): void;

  /** System calls were refused, or more of them. On disk on return. */
  kernelCallsRefused(calls: RefusedKernelCalls): void;

  /** A file was not changed. On disk on return, or counted. */
  fileRefused(refused: RefusedFileChange): void;

  processStarted(process: AuditedProcess): void;
  processExited(process: AuditedProcess, end: ProcessEnd): void;

  /** Something was opened over SSH, or closed, or refused. On disk on return. */
  ssh(event: AuditedSsh): void;

  /** The supervisor itself. */
  lifecycle(activity: "start" | "stop", detail: string): void;
  configChanged(change: ConfigChange): void;
  finding(finding: Finding): void;
}

/** Why a call failed, and what had come of it until then. */
export interface RefusedCall {
  readonly refusal: Refusal;
  readonly outcome?: CallOutcome;
}

/** Which sandbox this is, and which release of ours: said in every event. */
export interface SandboxFacts extends SandboxNames {
  readonly version: string;
}

/**
 * A request may stay open for hours, so one that is not over after this many milliseconds, or half of them at least, is on
 * record before its end: its event is then written twice, the first marked `in_progress`.
 */
const slowRequestMilliseconds = 1000;

/** `now` gives milliseconds since the epoch. */
export function createAudit(log: AuditLog, sandbox: SandboxFacts, now: () => number): Audit {
  return new LoggedAudit(log, { productVersion: sandbox.version, device: sandboxDevice(sandbox) }, now);
}

interface OpenRequest {
  readonly connection: AuditedConnection;
  readonly request: AuditedRequest;
  readonly verdict: RequestVerdict;
}

interface OpenCall {
  readonly connection: AuditedConnection;
  readonly call: AuditedCall;
}

class LoggedAudit implements Audit {
  readonly #log: AuditLog;
  readonly #reporter: Reporter;
  readonly #now: () => number;
  /** Requests that were let through and are not over. */
  readonly #requests = new Overdue<OpenRequest>(slowRequestMilliseconds, ({ connection, ...exchange }) =>
    this.#append(requestAllowedEvent(this.#moment(), connection, exchange), "soon"),
  );
  readonly #answered = new AnsweredRequests();
  /** Calls to models that are not answered yet. */
  readonly #calls = new Overdue<OpenCall>(slowRequestMilliseconds, ({ connection, call }) =>
    this.#append(callAllowedEvent(this.#moment(), connection, { call }), "soon"),
  );
  readonly #repeated = new RepeatedEvents<RefusedActivity>({
    kindOf: refusalKind,
    write: (event) => this.#append(event, "soon"),
  });

  constructor(log: AuditLog, reporter: Reporter, now: () => number) {
    this.#log = log;
    this.#reporter = reporter;
    this.#now = now;
  }

  get healthy(): boolean {
    return this.#log.healthy;
  }

  connectionRefused(connection: AuditedConnection, refusal: Refusal): void {
    if (this.#appendRefusal(connectionRefusedEvent(this.#moment(), connection, refusal))) this.#findIn(refusal);
  }

  connectionAllowed(connection: Guarded): Refusal | undefined {
    const recorded = this.#append(connectionAllowedEvent(this.#moment(), connection), "now_or_never");
    return recorded ? undefined : unwritable(connection.rule);
  }

  connectionClosed(connection: Guarded, counts: TrafficCounts): void {
    this.#append(connectionClosedEvent(this.#moment(), connection, counts), "soon");
  }

  clientRejected(connection: AuditedConnection, detail: string): void {
    const refusal = { refused: "terminate.client_rejected", detail } as const;
    this.#appendRefusal(connectionRefusedEvent(this.#moment(), connection, refusal));
  }

  requestAllowed(connection: AuditedConnection, request: AuditedRequest, verdict: RequestVerdict): Refusal | undefined {
    // A log that could not be written is tried again here, so that traffic passes again once there is room.
    if (!this.#log.healthy && !this.#log.flush()) return unwritable(verdict.rule);
    this.#requests.begin(request.id, { connection, request, verdict });
    return undefined;
  }

  requestCompleted(connection: AuditedConnection, request: AuditedRequest, outcome: RequestOutcome): void {
    const verdict = this.#requests.end(request.id)?.verdict;
    if (verdict === undefined) return;
    const moment = this.#moment();
    // The connection's next request may be there already, and is not to wait for these words.
    this.#log.appendLater(() => this.#answered.write(moment, connection, { request, verdict, outcome }));
  }

  requestRefused(connection: AuditedConnection, request: AuditedRequest, refusal: Refusal): void {
    this.#requests.end(request.id);
    const event = requestRefusedEvent(this.#moment(), connection, { request, refusal });
    if (this.#appendRefusal(event)) this.#findIn(refusal);
  }

  /** Some refusals are news apart from the connection: the table says which. */
  #findIn({ refused, detail }: Refusal): void {
    const { raisesFinding, sentence, severity, remedy } = reasonEntry(refused);
    if (raisesFinding) this.finding({ kind: refused, title: sentence, description: detail, severity, remedy });
  }

  callAllowed(connection: AuditedConnection, call: AuditedCall): Refusal | undefined {
    if (!this.#log.healthy && !this.#log.flush()) return unwritable(undefined);
    this.#calls.begin(call.id, { connection, call });
    return undefined;
  }

  callCompleted(connection: AuditedConnection, call: AuditedCall, outcome: CallOutcome): void {
    this.#calls.end(call.id);
    this.#append(callAllowedEvent(this.#moment(), connection, { call, outcome }), "soon");
  }

  callRefused(connection: AuditedConnection, call: AuditedCall, refused: RefusedCall): void {
    this.#calls.end(call.id);
    this.#append(callRefusedEvent(this.#moment(), connection, { call, ...refused }), "now");
    this.#findIn(refused.refusal);
  }

  udpRefused(datagram: RefusedDatagram, refusal: Refusal): void {
    this.#appendRefusal(datagramRefusedEvent(this.#moment(), datagram, refusal));
  }

  dnsAnswered(question: DnsQuestion, address?: string): void {
    this.#append(dnsAnsweredEvent(this.#moment(), question, address), "soon");
  }

  dnsRefused(question: DnsQuestion, refusal: Refusal): void {
    this.#appendRefusal(dnsRefusedEvent(this.#moment(), question, refusal));
  }

  kernelCallsRefused(calls: RefusedKernelCalls): void {
    this.#append(refusedCallsEvent(this.#moment(), calls), "now");
  }

  fileRefused(refused: RefusedFileChange): void {
    this.#appendRefusal(fileRefusedEvent(this.#moment(), refused));
  }

  processStarted(process: AuditedProcess): void {
    this.#append(processEvent(this.#moment(), process), "now");
  }

  processExited(process: AuditedProcess, end: ProcessEnd): void {
    // At once, and with it all that waits: who sees the command end will look at the log next.
    this.#append(processEvent(this.#moment(), process, end), "now");
  }

  ssh(event: AuditedSsh): void {
    this.#append(sshEvent(this.#moment(), event), "now");
  }

  lifecycle(activity: "start" | "stop", detail: string): void {
    this.#repeated.tell();
    this.#append(applicationLifecycle(occasion(this.#moment(), { message: detail }), activity), "now");
  }

  configChanged(change: ConfigChange): void {
    this.#append(configEvent(this.#moment(), change), "now");
  }

  finding(finding: Finding): void {
    this.#append(findingEvent(this.#moment(), finding), "now");
  }

  #moment(): Moment {
    return { reporter: this.#reporter, time: this.#now() };
  }

  /** On disk on return, unless an equal one was just now; then it is counted, and this is false. */
  #appendRefusal(event: RefusedActivity): boolean {
    if (this.#repeated.counts(event)) return false;
    this.#append(event, "now");
    return true;
  }

  #append(event: OcsfEvent, urgency: Urgency): boolean {
    return this.#log.append(writeEvent(event), urgency);
  }
}

function unwritable(rule: string | undefined): Refusal {
  return {
    refused: "audit.unwritable",
    detail: "allowed by policy, but the audit log can't be written",
    ...(rule !== undefined && { rule }),
  };
}
