/**
 * What a gateway asks of the platform that runs sandboxes. Drivers keep no state of their own that matters: what must
 * survive the gateway is in the sandbox's record.
 */
import type { LaunchSpec, SandboxDirectories } from "../../supervisor/launch-spec.ts";

export interface ComputeDriver {
  readonly name: string;
  readonly version: string;
  /** A supervisor for a sandbox that does not exist yet; the driver chooses id and place. May be ready in reserve. */
  claim(): Promise<PreparedSupervisor>;
  /** A supervisor for a sandbox that exists and whose supervisor has ended. */
  prepare(placement: Placement): Promise<PreparedSupervisor>;
  /** Whether this very process still runs. */
  isRunning(process: SupervisorProcess): boolean;
  /** Ends what runs of the sandbox, at once. Nothing of it runs when the promise is kept. */
  kill(placement: Placement, process: SupervisorProcess | undefined): Promise<void>;
  /** Removes the sandbox's files; nothing of it may run any more. */
  remove(placement: Placement): Promise<void>;
  /** Removes what belongs to no known sandbox: left by a gateway that was killed. Called once, before any `claim`. */
  sweep(known: readonly Placement[]): Promise<void>;
  /** Ends what is in reserve. Running sandboxes go on. */
  close(): Promise<void>;
}

/** Where a sandbox lives. */
export interface Placement {
  readonly sandboxId: string;
  /** The host uid that is its own; absent where all sandboxes share the gateway's. */
  readonly hostUid?: number;
}

/** A process that cannot be mistaken for a later one with the same number. */
export interface SupervisorProcess {
  readonly pid: number;
  readonly startTime: string;
}

/** A supervisor that waits for its orders. */
export interface PreparedSupervisor {
  readonly placement: Placement;
  readonly process: SupervisorProcess;
  /** As the supervisor sees them. */
  readonly socketPath: string;
  readonly directories: SandboxDirectories;
  /** Gives the orders, after which the supervisor starts the sandbox and dials the gateway. */
  launch(spec: LaunchSpec): void;
  /** Kept once it has ended; `why` has the last words of its log. */
  readonly ended: Promise<{ readonly why: string }>;
}
