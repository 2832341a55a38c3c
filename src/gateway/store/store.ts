/**
 * What a gateway keeps. There are two implementations (SQLite for one gateway, PostgreSQL for several that take turns), so
 * every call is a promise and every change one transaction, guarded by the record's resource version.
 */
import type { SandboxPolicy } from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import type { PolicyStatus } from "../../gen/openshell/v1/policy_pb.ts";
import type { SandboxSpec, SandboxStatus } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { SandboxLogLine } from "../../gen/openshell/v1/watch_pb.ts";
import type { WrappedKeyStore } from "../../secrets/vault.ts";
import type { Placement } from "../drivers/driver.ts";
import type { CallLog } from "./call-log.ts";
import type { NewOutgoingEvent, Outbox } from "./outbox.ts";
import type { ProposalStore } from "./proposal-store.ts";
import type { ResourceKind, ResourceStore } from "./resource-store.ts";
import type { SshSessionStore } from "./ssh-session-store.ts";
import type { UsageStore } from "./usage-store.ts";

/** What was to be kept of a sandbox has nothing to belong to: the sandbox was deleted in the same moment. */
export class SandboxGone extends Error {}

export interface Store {
  /** Whether gateways of other machines may lead on it after this one: what they must agree on is in it then. */
  readonly isShared: boolean;
  readonly sandboxes: SandboxStore;
  readonly policies: PolicyStore;
  readonly proposals: ProposalStore;
  readonly sshSessions: SshSessionStore;
  readonly logs: LogStore;
  readonly callLog: CallLog;
  readonly usage: UsageStore;
  readonly outbox: Outbox;
  /** The named things of a kind; `T` is what its owner keeps there. */
  resources<T>(kind: ResourceKind): ResourceStore<T>;
  /** What the secrets among all this are sealed with, itself wrapped. */
  readonly wrappedKey: WrappedKeyStore;
  /** Flushes and closes; nothing may be called afterwards. */
  close(): Promise<void>;
}

/** What the gateway wants of a sandbox, whatever is the case. */
export type DesiredState = "running" | "stopped" | "deleted";

export interface SandboxRecord {
  readonly id: string;
  readonly workspace: string;
  /** Unique in its workspace. */
  readonly name: string;
  readonly createdAtMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Grows with each change; set by the store. */
  readonly resourceVersion: number;
  readonly desired: DesiredState;
  readonly spec: SandboxSpec;
  readonly status: SandboxStatus;
  /** SHA-256 of the supervisor's token; the token itself is known to the supervisor alone. */
  readonly tokenHash: Uint8Array;
  /** The host uid that is this sandbox's own; absent where the gateway is not root. */
  readonly hostUid?: number;
  /** The supervisor, as long as it is thought to run. */
  readonly supervisor?: { readonly pid: number; readonly startTime: string; readonly instanceId: string };
}

/** Where the driver keeps this sandbox. */
export function placementOf({ id, hostUid, spec }: SandboxRecord): Placement {
  const image = imageOf(spec);
  return { sandboxId: id, ...(hostUid !== undefined && { hostUid }), ...(image !== undefined && { image }) };
}

/** The image that a sandbox is made from, if it is made from one. */
export function imageOf({ template }: Pick<SandboxSpec, "template">): string | undefined {
  return template?.image || undefined;
}

export interface SandboxQuery {
  /** Undefined: of all. */
  readonly workspace: string | undefined;
  readonly limit: number;
  readonly offset: number;
  /** Labels that must be there with these values. */
  readonly labels: ReadonlyMap<string, string>;
}

export interface SandboxStore {
  /** False when the workspace has a sandbox of that name already. The first policy revision is stored with it. */
  create(record: SandboxRecord, policy: NewPolicyRevision): Promise<boolean>;
  get(id: string): Promise<SandboxRecord | undefined>;
  getByName(workspace: string, name: string): Promise<SandboxRecord | undefined>;
  /** By age, oldest first. */
  list(query: SandboxQuery): Promise<SandboxRecord[]>;
  all(): Promise<SandboxRecord[]>;
  /** Stores the record if its resource version is still the current one, and gives it with the new one. */
  update(record: SandboxRecord): Promise<SandboxRecord | undefined>;
  /** Forgets a sandbox with its policies and log lines. */
  remove(id: string): Promise<void>;
}

export interface NewPolicyRevision {
  readonly policy: SandboxPolicy;
  readonly hash: string;
  readonly createdAtMs: number;
  readonly provenance: Readonly<Record<string, string>>;
}

export interface PolicyRevisionRecord extends NewPolicyRevision {
  /** From 1, without gaps. */
  readonly version: number;
  readonly status: PolicyStatus;
  readonly loadError: string;
  /** 0 until it has been loaded. */
  readonly loadedAtMs: number;
}

export interface PolicyStore {
  /** Adds a pending revision and gives its version. */
  append(sandboxId: string, revision: NewPolicyRevision): Promise<number>;
  get(sandboxId: string, version: number): Promise<PolicyRevisionRecord | undefined>;
  /** The newest that has not failed: what the sandbox should enforce. */
  effective(sandboxId: string): Promise<PolicyRevisionRecord | undefined>;
  /** Newest first. */
  list(sandboxId: string, page: { readonly limit: number; readonly offset: number }): Promise<PolicyRevisionRecord[]>;
  /** Records that a revision was loaded; what was loaded or pending before it is superseded. */
  markLoaded(sandboxId: string, version: number, atMs: number): Promise<void>;
  markFailed(sandboxId: string, version: number, error: string): Promise<void>;
}

export interface LogQuery {
  /** Empty: what users asked of the gateway, whatever sandbox it was about. */
  readonly sandboxId: string;
  /** The newest so many. */
  readonly lines: number;
  readonly sinceMs: number;
  /** Only those in front of it; absent or 0: all. */
  readonly beforeSequence?: number;
  /** `gateway`, `sandbox`; empty: both. */
  readonly sources: readonly string[];
  /** Empty: all levels. */
  readonly levels: readonly string[];
}

/** How much of a log is kept. */
export interface LogRetention {
  /** The newest so many. */
  readonly lines: number;
  /** Milliseconds since the epoch; what is older goes. */
  readonly sinceMs: number;
}

/** The event of a line that is to leave the gateway. */
export type Outgoing = (line: SandboxLogLine) => NewOutgoingEvent | undefined;

export interface LogStore {
  /**
   * Adds lines of a supervisor; gives those that are new, so that a batch may be sent twice. What `outgoing` makes of a
   * new line is put into the outbox with it, or not at all.
   */
  append(sandboxId: string, lines: readonly SandboxLogLine[], outgoing?: Outgoing): Promise<SandboxLogLine[]>;
  /** The sequence number of the last line of the sandbox's supervisor; 0 when there is none. */
  cursor(sandboxId: string): Promise<number>;
  /** Oldest first. */
  read(query: LogQuery): Promise<SandboxLogLine[]>;
  count(sandboxId: string): Promise<number>;
  /** Drops what is more than is to be kept of a sandbox's lines, the oldest first. */
  trim(sandboxId: string, retention: LogRetention): Promise<void>;
}
