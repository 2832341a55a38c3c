/**
 * A sandbox as scripts and people see it.
 */

import type {
  FolderMountJson,
  IsolationFactJson,
  SandboxConditionJson,
  SandboxJson,
  SandboxSpecJson,
} from "../../gen/openshell/v1/sandbox_pb.ts";
import { type DetachedCommandView, detachedCommandView } from "./detached-command-view.ts";

/** One aspect of the sandbox. */
export interface ConditionView {
  readonly type: string;
  /** `True` or `False`. */
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  /** RFC 3339. */
  readonly last_transition_time: string;
}

/** What `-o json` prints; the keys are the published CLI's, with ours added after them. */
export interface SandboxView {
  readonly id: string;
  readonly name: string;
  readonly workspace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly resource_version: number;
  /** RFC 3339. */
  readonly created_at: string;
  readonly phase: string;
  readonly current_policy_version: number;
  /** `observe`: nothing is denied by policy. */
  readonly enforcement: "enforce" | "observe";
  /** Of the sandbox's own command, once it has ended. */
  readonly exit_code: number | null;
  /** The sandbox's own command; empty where there is none. */
  readonly command: readonly string[];
  readonly restart: string;
  /** What its programs may use together: `cpu`, `memory`, `pids`, as Kubernetes writes them. */
  readonly limits: Readonly<Record<string, string>>;
  readonly restart_count: number;
  /** RFC 3339; the last start. */
  readonly started_at: string;
  /** Of `sandbox exec --detach`, the oldest first. */
  readonly detached_commands: readonly DetachedCommandView[];
  readonly conditions: readonly ConditionView[];
  /** The attached ones, by name. */
  readonly providers: readonly string[];
  /** Of the gateway's machine, that it sees besides what its policy names. */
  readonly folders: readonly FolderView[];
  /** As measured from inside. */
  readonly isolation: readonly IsolationFactJson[];
}

export interface FolderView {
  readonly host: string;
  readonly target: string;
  /** `copy-on-write`, `read-only`, `read-write`. */
  readonly access: string;
}

export function sandboxView(sandbox: SandboxJson): SandboxView {
  const { metadata = {}, spec = {}, status = {} } = sandbox;
  return {
    id: metadata.id ?? "",
    name: metadata.name ?? "",
    workspace: metadata.workspace ?? "",
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    resource_version: Number(metadata.resourceVersion ?? 0),
    created_at: new Date(Number(metadata.createdAtMs ?? 0)).toISOString(),
    phase: phaseName(status.phase),
    current_policy_version: status.currentPolicyVersion ?? 0,
    enforcement: spec.observe ? "observe" : "enforce",
    exit_code: status.exitCode ?? null,
    command: spec.command ?? [],
    restart: spec.restart || "no",
    limits: limitsOf(spec),
    restart_count: status.restartCount ?? 0,
    started_at: new Date(Number(status.startedAtMs ?? 0)).toISOString(),
    detached_commands: (status.commands ?? []).map(detachedCommandView),
    conditions: (status.conditions ?? []).map(conditionView),
    providers: sandbox.spec?.providers ?? [],
    folders: (spec.folders ?? []).map(folderView),
    isolation: status.isolation ?? [],
  };
}

function folderView({ host = "", target = "", access = "FOLDER_ACCESS_UNSPECIFIED" }: FolderMountJson): FolderView {
  return { host, target, access: access.replace("FOLDER_ACCESS_", "").toLowerCase().replaceAll("_", "-") };
}

function limitsOf({ template }: SandboxSpecJson): Record<string, string> {
  const limits = template?.resources?.["limits"] ?? {};
  return Object.fromEntries(Object.entries(limits).map(([name, quantity]) => [name, String(quantity)]));
}

/** In this document's spelling: the API itself speaks ProtoJSON, which has `lastTransitionTime`. */
function conditionView(condition: SandboxConditionJson): ConditionView {
  const { type = "", status = "", reason = "", message = "", lastTransitionTime = "" } = condition;
  return { type, status, reason, message, last_transition_time: lastTransitionTime };
}

/** `SANDBOX_PHASE_READY` → `Ready`. */
export function phaseName(phase: string | undefined): string {
  const word = (phase ?? "SANDBOX_PHASE_UNSPECIFIED").replace("SANDBOX_PHASE_", "").toLowerCase();
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}

/** How long ago, in the largest fitting unit: `12s`, `5m`, `3h`, `9d`. */
export function age(createdAt: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(createdAt)) / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** Why a sandbox is not ready, in its own words: the first condition that does not hold and says something. */
export function trouble(view: SandboxView): string | undefined {
  const failed = view.conditions.find(({ status, message }) => status === "False" && message);
  return failed?.message;
}
