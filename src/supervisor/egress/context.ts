/**
 * What the steps of the decision path are given besides the connection. Made once for each sandbox by the supervisor's
 * main; nothing in it is looked up anywhere else.
 */
import type { CompiledPolicy } from "../../policy/verdict.ts";
import type { SessionEnd } from "./08-inspect/http1/session.ts";
import type { Credentials } from "./09-credential/credentials.ts";
import type { Audit } from "./11-audit.ts";
import type { Decided, Guarded, Identified, Intercepted, Peeked, Refusal, Terminated } from "./connection.ts";
import type { LiveConnection } from "./live-connections.ts";

export interface EgressContext {
  /** For the commands that a refusal's answer names. */
  readonly sandboxName: string;
  /** The policy in force now; undefined while none could be loaded. Asked again for each decision. */
  readonly policy: () => CompiledPolicy | undefined;
  /** The credentials of the attached providers now. Asked again for each request. */
  readonly credentials: () => Credentials;
  readonly audit: Audit;
  readonly steps: WorldlySteps;
  /** An id that is unique in this sandbox, for connections and requests. */
  readonly newId: () => string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Aborted when the sandbox stops: every connection ends then. */
  readonly signal: AbortSignal;
  /** Told of exceptions, which are defects: refusals are values. The connection has been broken off. */
  readonly onDefect: (error: unknown) => void;
}

/** The steps that look at the world (processes, resolver, certificates), bound to what they look at it with. */
export interface WorldlySteps {
  /** Serves a connection to `inference.local` to its end. */
  readonly infer: (connection: Identified, live: Pick<LiveConnection, "signal" | "streams">) => Promise<SessionEnd>;
  readonly identify: (connection: Intercepted) => Promise<Identified | Refusal>;
  readonly guard: (connection: Decided) => Promise<Guarded | Refusal>;
  readonly terminate: (connection: Peeked) => Promise<Terminated | Refusal>;
}
