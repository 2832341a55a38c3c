/**
 * What a gateway asks of the platform that runs sandboxes. Drivers keep no state of their own that matters: what must
 * survive the gateway is in the sandbox's record.
 */
import type { Readable } from "node:stream";
import type { JsonObject } from "@bufbuild/protobuf";
import type {
  GatewayAddress,
  LaunchSpec,
  SandboxDirectories,
  SandboxFolder,
  SandboxLimits,
} from "../../supervisor/launch-spec.ts";

export interface ComputeDriver {
  readonly name: string;
  readonly version: string;
  /**
   * A supervisor for a sandbox that does not exist yet, from this image if there is one; the driver chooses id and place.
   * May be ready in reserve.
   */
  claim(demands: Demands, image?: string): Promise<PreparedSupervisor>;
  /** A supervisor for a sandbox that exists and whose supervisor has ended. */
  prepare(placement: Placement, demands: Demands): Promise<PreparedSupervisor>;
  /** Absent where the platform gets its images by itself. */
  readonly images?: ImageSource;
  /** The policy (YAML) that an image brings; undefined: none. */
  policyOf(image: string): Promise<string | undefined>;
  /** Why this can't be had or kept on this machine, and what would help; undefined: it can. */
  whyNot(demands: Demands, image?: string): string | undefined;
  /** What the sandbox keeps of a folder that it has a copy-on-write view of. */
  layer(placement: Placement, target: string): FolderLayer;
  /** A place for a sandbox that does not run yet, with the state of another one. */
  fork(from: Placement): Promise<Placement>;
  /** Copies what the sandbox has written; nothing of it may run, as with all that follows. */
  saveState(placement: Placement, name: string): Promise<SavedState>;
  /** Oldest first. */
  savedStates(placement: Placement): Promise<SavedState[]>;
  restoreState(placement: Placement, name: string): Promise<void>;
  removeSavedState(placement: Placement, name: string): Promise<void>;
  /**
   * Whether the sandbox was made here. Not after its record was taken elsewhere, by a backup or a shared database: its
   * process and its host uid are then those of strangers, or of nobody.
   */
  isHere(placement: Placement): boolean;
  /** Whether this very process still runs. */
  isRunning(process: SupervisorProcess): boolean;
  /** Tells a supervisor that there is a gateway again. One that is not told finds out by itself, a little later. */
  wake(process: SupervisorProcess): void;
  /** Ends what runs of the sandbox, at once. Nothing of it runs when the promise is kept. */
  kill(placement: Placement, process: SupervisorProcess | undefined): Promise<void>;
  /** Removes the sandbox's files; nothing of it may run any more. */
  remove(placement: Placement): Promise<void>;
  /** Removes what belongs to no known sandbox: left by a gateway that was killed. Called once, before any `claim`. */
  sweep(known: readonly Placement[]): Promise<void>;
  /** Ends what is in reserve. Running sandboxes go on. */
  close(): Promise<void>;
}

/**
 * Where the images come from that sandboxes are made from. Each yields lines for people while it works, and returns what to
 * call the image; both throw FAILED_PRECONDITION with what went wrong.
 */
export interface ImageSource {
  /** Gets an image, where it is not there. */
  pull(image: string, signal: AbortSignal): AsyncGenerator<string, string>;
  build(plan: BuildPlan, signal: AbortSignal): AsyncGenerator<string, string>;
}

export interface BuildPlan {
  /** An archive (tar) of it. */
  readonly folder: Readable;
  /** In the folder. */
  readonly dockerfile: string;
}

/** Where a sandbox lives. */
export interface Placement {
  readonly sandboxId: string;
  /** The host uid that is its own; absent where all sandboxes share the gateway's. */
  readonly hostUid?: number;
  /** What it is made from; absent where it shows the machine's own programs. */
  readonly image?: string;
}

/** What a sandbox is built with from its start. */
export interface Demands extends Resources {
  readonly folders: readonly FolderRequest[];
}

/** What it has of the machine. */
export interface Resources {
  readonly limits: Limits;
  /** How many of its graphics processors; absent: none. */
  readonly gpus?: number | "all";
  /** What only one kind of driver knows, by its name; each checks its own. */
  readonly driverConfig?: JsonObject;
}

/** What all programs of a sandbox may use together; absent: no limit of the sandbox's own. */
export interface Limits {
  /** Thousandths of a processor. */
  readonly cpuMillis?: number;
  readonly memoryBytes?: number;
  /** Of files: its home, its temporary files, and what it writes into layers. */
  readonly diskBytes?: number;
  /** Processes and threads. */
  readonly processes?: number;
}

/** A folder of the driver's machine that a sandbox is to see. */
export interface FolderRequest {
  /** Absolute, without links. */
  readonly host: string;
  /** In the sandbox. */
  readonly target: string;
  readonly access: "copy-on-write" | "read-only" | "read-write";
}

/** A copy of what a sandbox had written. */
export interface SavedState {
  readonly name: string;
  readonly createdAtMs: number;
}

/** Nobody but the gateway can reach these by name; the sandbox writes to the first through its view. */
export interface FolderLayer {
  /** The upper layer of the overlay, in the kernel's format. */
  readonly upper: string;
  /** How the folder was when the sandbox was given its view: see workspace/folder-record.ts. */
  readonly record: string;
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
  /** As the supervisor reaches and sees them. */
  readonly gateway: GatewayAddress;
  readonly directories: SandboxDirectories;
  readonly folders: readonly SandboxFolder[];
  readonly limits: SandboxLimits;
  /** Gives the orders, after which the supervisor starts the sandbox and dials the gateway. */
  launch(spec: LaunchSpec): void;
  /** Kept once it has ended; `why` has the last words of its log. */
  readonly ended: Promise<{ readonly why: string }>;
}
