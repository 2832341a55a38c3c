/**
 * A sandbox's pod, as a cluster is asked for it. What the agent's container may do is all in `agentContainer`, which is what
 * the restricted Pod Security Standard asks for; that nothing leaves the pod but by the supervisor is what
 * docs/kubernetes.md argues from.
 */
import { containerNode } from "../../../supervisor/launch-spec.ts";
import { type PodSetup, podView } from "../../../supervisor/pod-setup/pod-layout.ts";
import type { Demands } from "../driver.ts";
import { nodeSelectorOf } from "./driver-config.ts";
import type { KubernetesSettings } from "./kubernetes-file.ts";

/** By which a gateway finds its own. */
export const GATEWAY_LABEL = "openshell.ai/gateway";
export const SANDBOX_LABEL = "openshell.ai/sandbox";
/** For the cluster's own rules, such as a NetworkPolicy. */
const COMPONENT_LABELS = { "app.kubernetes.io/name": "openshell", "app.kubernetes.io/component": "sandbox" } as const;

export const AGENT = "agent";
export const SUPERVISOR = "supervisor";
export const SETUP = "setup";

const RUNTIME = "/run/openshell";
const LINK = "/run/openshell-link";
const SOCKET = "supervisor";
const HOSTNAME = "sandbox";
const SHARED_MEMORY = "1Gi";
/** Until a supervisor has said its last words; it is told before. */
const GRACE_SECONDS = 5;

/**
 * What changes how our loader and our Node start, whatever the image says. Init is assumed hostile all the same: what it may
 * reach is decided before the image has a say.
 */
const harmless: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...["LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "LD_DEBUG", "LD_DEBUG_OUTPUT", "LD_PROFILE", "GLIBC_TUNABLES"],
      ...[
        "NODE_OPTIONS",
        "NODE_PATH",
        "NODE_V8_COVERAGE",
        "NODE_EXTRA_CA_CERTS",
        "NODE_REDIRECT_WARNINGS",
        "NODE_DEBUG",
      ],
      ...["NODE_DEBUG_NATIVE", "NODE_ICU_DATA", "NODE_COMPILE_CACHE", "OPENSSL_MODULES", "OPENSSL_ENGINES"],
    ].map((name) => [name, ""]),
  ),
  OPENSSL_CONF: "/dev/null",
};
export const hiddenVariables: readonly string[] = Object.keys(harmless);

/** Other products' sidecars would be further programs in the sandbox's network, and one more way out. */
const withoutSidecars = { "sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled" } as const;

/** What a pod is made from. */
export interface PodPlan {
  readonly sandboxId: string;
  readonly gatewayId: string;
  readonly image: string;
  readonly demands: Demands;
  readonly settings: KubernetesSettings;
}

/** Of the pod, of its summons, and of the volume that the sandbox keeps. */
export const objectName = (sandboxId: string): string => `openshell-${sandboxId}`;

/** Where the supervisor's socket is, to itself. */
export const socketPath = `${podView.link}/${SOCKET}`;

export const labelsOf = ({ sandboxId, gatewayId }: Pick<PodPlan, "sandboxId" | "gatewayId">) => ({
  ...COMPONENT_LABELS,
  [SANDBOX_LABEL]: sandboxId,
  [GATEWAY_LABEL]: gatewayId,
});

export function podBody(plan: PodPlan) {
  const { settings, sandboxId } = plan;
  const { runtimeClass, priorityClass } = settings;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: objectName(sandboxId),
      namespace: settings.namespace,
      labels: { ...settings.labels, ...labelsOf(plan) },
      annotations: { ...settings.annotations, ...withoutSidecars },
    },
    spec: {
      restartPolicy: "Never",
      hostname: HOSTNAME,
      // The supervisor sees who opens a connection by their process.
      shareProcessNamespace: true,
      ...(settings.userNamespaces && { hostUsers: false }),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      serviceAccountName: settings.serviceAccount,
      terminationGracePeriodSeconds: GRACE_SECONDS,
      securityContext: {
        seccompProfile: { type: "RuntimeDefault" },
        // One of those that are safe by the standard: the port of DNS is the supervisor's to listen on.
        sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }],
      },
      imagePullSecrets: settings.imagePullSecrets.map((name) => ({ name })),
      // The gateway's word stands where both have one.
      nodeSelector: { ...nodeSelectorOf(plan.demands.driverConfig), ...settings.nodeSelector },
      tolerations: settings.tolerations,
      ...(runtimeClass !== undefined && { runtimeClassName: runtimeClass }),
      ...(priorityClass !== undefined && { priorityClassName: priorityClass }),
      initContainers: [setupContainer(plan)],
      containers: [supervisorContainer(plan), agentContainer(plan)],
      volumes: [
        { name: "runtime", emptyDir: {} },
        { name: "work", emptyDir: {} },
        { name: "memory", emptyDir: { medium: "Memory", sizeLimit: SHARED_MEMORY } },
        { name: "summons", secret: { secretName: objectName(sandboxId), defaultMode: 0o400 } },
        settings.storage === undefined
          ? { name: "kept", emptyDir: {} }
          : { name: "kept", persistentVolumeClaim: { claimName: objectName(sandboxId) } },
      ],
    },
  };
}

/** Guards the network before anything else is there. The only one that may, and it has ended by then. */
function setupContainer({ settings }: PodPlan) {
  const setup: PodSetup = { uid: settings.agentUser, gid: settings.agentUser, hostname: HOSTNAME };
  return {
    name: SETUP,
    image: settings.runtimeImage,
    command: [...containerNode, `${RUNTIME}/dist/pod-setup.cjs`, JSON.stringify(setup)],
    securityContext: trusted(["NET_ADMIN", "CHOWN", "DAC_OVERRIDE"]),
    resources: { requests: { cpu: "20m", memory: "64Mi" }, limits: { memory: "512Mi" } },
    volumeMounts: [
      { name: "runtime", mountPath: podView.runtime },
      { name: "work", mountPath: podView.work },
      { name: "kept", mountPath: podView.kept },
    ],
  };
}

/** Trusted. It may look at the agent's processes, and read what only they may; it has no say over the network. */
function supervisorContainer({ settings }: PodPlan) {
  return {
    name: SUPERVISOR,
    image: settings.runtimeImage,
    command: [...containerNode, `${RUNTIME}/dist/supervisor.cjs`, podView.summons],
    securityContext: trusted(["SYS_PTRACE", "DAC_OVERRIDE"]),
    terminationMessagePolicy: "FallbackToLogsOnError",
    resources: { requests: { cpu: "20m", memory: "96Mi" }, limits: { memory: "1Gi" } },
    volumeMounts: [
      { name: "work", mountPath: podView.work },
      { name: "kept", mountPath: podView.kept },
      { name: "summons", mountPath: podView.summons, readOnly: true },
    ],
  };
}

const trusted = (add: readonly string[]) => ({
  runAsUser: 0,
  runAsGroup: 0,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"], add },
});

/** What runs is untrusted, and so is the image: nothing of it is run but what init is asked for. */
function agentContainer({ settings, image, demands }: PodPlan) {
  const { agentUser: uid } = settings;
  const etc = ["openshell", "openshell-tls", "passwd", "group", "hosts", "resolv.conf", "ld.so.preload"];
  return {
    name: AGENT,
    image,
    command: [...containerNode, "--max-semi-space-size=1", `${RUNTIME}/dist/init.cjs`, `${LINK}/${SOCKET}`],
    env: Object.entries(harmless).map(([name, value]) => ({ name, value })),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: uid,
      runAsGroup: uid,
      privileged: false,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    },
    resources: resourcesOf(demands, settings.gpuResource),
    volumeMounts: [
      { name: "runtime", mountPath: RUNTIME, readOnly: true },
      { name: "work", mountPath: LINK, subPath: "link", readOnly: true },
      { name: "kept", mountPath: "/sandbox", subPath: "home" },
      { name: "kept", mountPath: "/var/log", subPath: "logs", readOnly: true },
      { name: "memory", mountPath: "/dev/shm" },
      ...etc.map((name) => ({ name: "work", mountPath: `/etc/${name}`, subPath: `etc/${name}`, readOnly: true })),
    ],
  };
}

/** What is asked for is what is set aside: a sandbox is no batch job that may wait for its turn. */
function resourcesOf({ limits, gpus }: Demands, gpuResource: string): object {
  const { cpuMillis, memoryBytes } = limits;
  const asked = {
    ...(cpuMillis !== undefined && { cpu: `${cpuMillis}m` }),
    ...(memoryBytes !== undefined && { memory: String(memoryBytes) }),
    ...(typeof gpus === "number" && { [gpuResource]: String(gpus) }),
  };
  return Object.keys(asked).length === 0 ? {} : { limits: asked, requests: asked };
}
