/**
 * The cluster that sandboxes run in, if they do: `kubernetes.yaml` in the user's configuration directory. Read once; what
 * can't be used keeps the gateway from starting.
 */
import { resolve } from "node:path";
import { kubernetesFilePath } from "../../../locations/kubernetes-file.ts";
import { type Problem, placeInfo } from "../../../policy/problem.ts";
import { anything, flag, integer, listOf, mapOf, record, text, type ValueOf } from "../../../policy/readers.ts";
import { placeOf } from "../../../policy/tree.ts";
import { problemText, readConfigurationFile } from "../../configuration-file.ts";

/** Whom the agent is, as elsewhere, unless the file says otherwise. */
const AGENT_ID = 1000;
/** Of an image that is not on the node yet. */
const START_SECONDS = 300;
const MAX_POOL = 100;
/** On every interface, as pods are elsewhere; the port is beside the API's. */
const LISTEN = "[::]:17671";
const HOST_AND_PORT = /^\[?([^\s\]/]+?)\]?:(\d{1,5})$/;

const fileSchema = record(
  {
    namespace: text,
    gateway: text,
    listen: text,
    runtime_image: text,
    kubeconfig: text,
    user_namespaces: flag,
    agent_user: integer(1, 60_000),
    start_seconds: integer(5, 3600),
    pool: record({ size: integer(0, MAX_POOL), image: text }, ["size"]),
    storage: record({ size: text, class: text }, ["size"]),
    image_pull_secrets: listOf(text),
    service_account: text,
    node_selector: mapOf(text),
    tolerations: listOf(anything),
    runtime_class: text,
    priority_class: text,
    gpu_resource: text,
    labels: mapOf(text),
    annotations: mapOf(text),
  },
  ["namespace", "gateway", "runtime_image"],
);

type Written = NonNullable<ValueOf<typeof fileSchema>>;

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

export interface KubernetesSettings {
  /** For sandboxes alone, and the gateway's to fill. */
  readonly namespace: string;
  /** As pods reach this gateway. */
  readonly gateway: HostAndPort;
  /** Where this gateway listens for them. */
  readonly listen: HostAndPort;
  readonly runtimeImage: string;
  /** A file; absent: see cluster-access.ts. */
  readonly kubeconfig?: string;
  /** Whether a pod's users are nobody of its node's. */
  readonly userNamespaces: boolean;
  readonly agentUser: number;
  readonly startSeconds: number;
  readonly pool: { readonly size: number; readonly image?: string };
  /** What a sandbox keeps from start to start; absent: nothing. */
  readonly storage?: { readonly size: string; readonly class?: string };
  readonly imagePullSecrets: readonly string[];
  readonly serviceAccount: string;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly unknown[];
  readonly runtimeClass?: string;
  readonly priorityClass?: string;
  /** What nodes call their GPUs. */
  readonly gpuResource: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Undefined where sandboxes run on this machine. @throws Error with every problem, each with its line */
export function readKubernetesFile(configDirectory: string): KubernetesSettings | undefined {
  const path = kubernetesFilePath(configDirectory);
  const file = readConfigurationFile(path, fileSchema);
  if (file === undefined) return undefined;
  const { written, tree } = file;
  const refuse = (key: keyof Written, message: string): Error => {
    const problem: Problem = { severity: "error", key: [key], message, ...placeInfo(placeOf(tree, [key])) };
    return new Error(problemText([problem], path));
  };
  const address = (key: "gateway" | "listen", text: string): HostAndPort => {
    const [, host = "", port = ""] = HOST_AND_PORT.exec(text) ?? [];
    if (host === "" || Number(port) > 65_535) throw refuse(key, `"${text}" must be HOST:PORT`);
    return { host, port: Number(port) };
  };
  // The schema has seen to it that these are there.
  const { namespace = "", gateway = "", runtime_image: runtimeImage = "", listen = LISTEN } = written;
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace)) {
    throw refuse("namespace", `"${namespace}" is no namespace's name`);
  }
  const addresses = { gateway: address("gateway", gateway), listen: address("listen", listen) };
  return { ...settingsOf(written, configDirectory), ...addresses, namespace, runtimeImage };
}

function settingsOf(
  written: Written,
  configDirectory: string,
): Omit<KubernetesSettings, "namespace" | "gateway" | "listen" | "runtimeImage"> {
  const { kubeconfig, pool = {}, storage, runtime_class: runtimeClass, priority_class: priorityClass } = written;
  return {
    ...(kubeconfig !== undefined && { kubeconfig: resolve(configDirectory, kubeconfig) }),
    userNamespaces: written.user_namespaces ?? true,
    agentUser: written.agent_user ?? AGENT_ID,
    startSeconds: written.start_seconds ?? START_SECONDS,
    pool: { size: pool.size ?? 0, ...(pool.image !== undefined && { image: pool.image }) },
    ...(storage?.size !== undefined && {
      storage: { size: storage.size, ...(storage.class !== undefined && { class: storage.class }) },
    }),
    imagePullSecrets: written.image_pull_secrets ?? [],
    serviceAccount: written.service_account ?? "default",
    nodeSelector: Object.fromEntries(written.node_selector ?? []),
    tolerations: written.tolerations ?? [],
    ...(runtimeClass !== undefined && { runtimeClass }),
    ...(priorityClass !== undefined && { priorityClass }),
    gpuResource: written.gpu_resource ?? "nvidia.com/gpu",
    labels: Object.fromEntries(written.labels ?? []),
    annotations: Object.fromEntries(written.annotations ?? []),
  };
}
