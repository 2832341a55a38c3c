/** What a pod's status says about the sandbox in it. */
import type { ApiObject } from "./kubernetes-api.ts";
import { AGENT, SETUP, SUPERVISOR } from "./pod-body.ts";

export interface ContainerStatus {
  readonly name: string;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: object;
    readonly terminated?: { readonly exitCode: number; readonly reason?: string; readonly message?: string };
  };
}

export interface Pod extends ApiObject {
  readonly spec: PodSpec;
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export interface PodSpec {
  readonly hostUsers?: boolean;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly shareProcessNamespace?: boolean;
  readonly initContainers?: readonly ContainerSpec[];
  readonly containers: readonly ContainerSpec[];
}

export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly securityContext?: Readonly<Record<string, unknown>>;
}

/** With these a container does not come up by waiting. */
const hopeless = [
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
  "CrashLoopBackOff",
];

const statusesOf = ({ status }: Pod): readonly ContainerStatus[] => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
];

/** Whether its agent's container runs: then init waits in it. */
export function isUp(pod: Pod): boolean {
  return statusesOf(pod).some(({ name, state }) => name === AGENT && state?.running !== undefined);
}

/** Why the sandbox in it does not run, or can't come up; undefined: it does, or it may. */
export function troubleOf(pod: Pod): string | undefined {
  const statuses = statusesOf(pod);
  const { status, metadata } = pod;
  const setup = statuses.find(({ name, state }) => name === SETUP && (state?.terminated?.exitCode ?? 0) !== 0);
  if (setup) return `the pod's network can't be guarded: ${lastWords(setup)}`;
  const ended = [SUPERVISOR, AGENT].map((name) => statuses.find((it) => it.name === name && it.state?.terminated));
  const [first] = ended.filter((it) => it !== undefined);
  if (first) return `the ${first.name}'s container ended: ${lastWords(first)}`;
  if (status?.phase === "Failed" || status?.phase === "Succeeded") {
    return `the pod ended: ${[status.reason, status.message].filter(Boolean).join(", ") || status.phase}`;
  }
  if (metadata.deletionTimestamp !== undefined) return "the pod is being deleted";
  const stuck = statuses.find(({ state }) => hopeless.includes(state?.waiting?.reason ?? ""));
  if (!stuck) return undefined;
  const { reason, message } = stuck.state?.waiting ?? {};
  return `the ${stuck.name}'s container does not start: ${[reason, message].filter(Boolean).join(", ")}`;
}

/** What it waits for, for whoever has waited too long. */
export function waitsFor(pod: Pod | undefined): string {
  const unmet = pod?.status?.conditions?.find(({ status, message }) => status === "False" && message)?.message;
  const waiting = pod && statusesOf(pod).find(({ state }) => state?.waiting?.message)?.state?.waiting?.message;
  return waiting ?? unmet ?? "the cluster does not say why";
}

function lastWords({ state }: ContainerStatus): string {
  const { exitCode, reason, message } = state?.terminated ?? { exitCode: 0 };
  const lines = (message ?? "").trim().split("\n");
  return lines.findLast((line) => /^\w*Error\b/.test(line)) || lines.at(-1) || `${reason ?? "ended"}, code ${exitCode}`;
}

/**
 * What the cluster has made of a pod that is not what it was asked for: one that drops what it does not know, or a webhook
 * that adds to what it is shown. A sandbox with less than was asked for is none.
 */
export function deviationOf(made: PodSpec, asked: PodSpec): string | undefined {
  if (asked.hostUsers === false && made.hostUsers !== false) {
    return "it gives pods no user namespace of their own (`hostUsers: false`): set `user_namespaces: false` in kubernetes.yaml to do without";
  }
  if (made.hostNetwork === true || made.hostPID === true || made.shareProcessNamespace !== true) {
    return "it changed the namespaces that a sandbox's pod shares";
  }
  for (const list of ["initContainers", "containers"] as const) {
    const [has, wants] = [made[list] ?? [], asked[list] ?? []];
    if (JSON.stringify(has.map(({ name }) => name)) !== JSON.stringify(wants.map(({ name }) => name))) {
      return `it added containers, or took them away: ${has.map(({ name }) => name).join(", ")}`;
    }
    const changed = wants.find((want, index) => !isKept(want, has[index]));
    if (changed) return `it changed what the ${changed.name}'s container is, or may do`;
  }
  return undefined;
}

/** What matters of a container is as it was asked for; the API adds defaults beside it. */
function isKept(want: ContainerSpec, has: ContainerSpec | undefined): boolean {
  if (has?.image !== want.image || JSON.stringify(has.command) !== JSON.stringify(want.command)) return false;
  const context = has.securityContext ?? {};
  const wanted = Object.entries(want.securityContext ?? {});
  const isSame = wanted.every(([key, value]) => isEqual(context[key], value));
  // A grant that was not asked for at all.
  return isSame && (context["privileged"] ?? false) === false;
}

function isEqual(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => isEqual((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}
