/** What is told to the audit (egress/11-audit.ts), apart from the records of the decision path themselves. */
import type { FileActivityName } from "../../ocsf/classes/file-activity.ts";
import type { SshActivityName } from "../../ocsf/classes/ssh-activity.ts";
import type { Destination, RequestFacts } from "../../policy/verdict.ts";
import type {
  Decided,
  Guarded,
  Holder,
  Identified,
  Intercepted,
  Peeked,
  SocketPair,
  Terminated,
} from "../egress/connection.ts";

/** A connection as far as it came. */
export type AuditedConnection = Intercepted | Identified | Decided | Guarded | Peeked | Terminated;

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

/** A call to a model, by a program of the sandbox. */
export interface AuditedCall {
  /** Unique in this sandbox; also the `x-openshell-call` of the answer. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly dialect: string;
  /** What of the dialect: `/chat/completions`. */
  readonly operation: string;
  /** What the caller calls the model. */
  readonly modelAsked?: string;
  readonly streamed: boolean;
}

/** What became of a call; what is not known is left out. */
export interface CallOutcome {
  /** Status of the answer that the caller got. */
  readonly status?: number;
  readonly route?: string;
  readonly provider?: string;
  /** As the backend names it, else as the route does. */
  readonly modelServed?: string;
  readonly attempts: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /** Whether the backend did not say the tokens, and they are guessed from the lengths. */
  readonly tokensEstimated?: boolean;
  /** From the call's head to the first piece of its answer. */
  readonly firstByteMs?: number;
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

/** Something that the SSH server did for a client, or refused it. */
export interface AuditedSsh {
  readonly activity: SshActivityName;
  /** As the gateway has authenticated them; `id` is of the record there. */
  readonly session: { readonly id: string; readonly user: string };
  /** One phrase, without secrets: `a shell`, `a forwarded connection to port 80`. */
  readonly what: string;
  /** Why not, where something was refused or failed. */
  readonly why?: string;
}

/** A program that made a system call; what can't be found out is left out. */
export interface CallingProgram {
  /** As the sandbox sees it. */
  readonly pid: number;
  readonly path: string;
  readonly sha256?: string;
  readonly commandLine?: readonly string[];
  readonly ancestors?: Holder["ancestors"];
}

/** Calls of one kind by one program, which were refused. */
export interface RefusedKernelCalls {
  /** The same for each report about them. */
  readonly uid: string;
  /** The first of the calls as people write it, such as `unshare(CLONE_NEWUSER)`. */
  readonly call: string;
  /** Symbolic name, such as `EPERM`. */
  readonly errno: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly count: number;
  /** Whose first call it was; absent if it had gone before it could be read. */
  readonly program?: CallingProgram;
}

/** A change of a file that the kernel refuses, since the policy does not let the sandbox write there. */
export interface RefusedFileChange {
  /** As the sandbox sees it. */
  readonly path: string;
  readonly change: FileActivityName;
  /** The system call's name. */
  readonly call: string;
  readonly program: CallingProgram;
}
