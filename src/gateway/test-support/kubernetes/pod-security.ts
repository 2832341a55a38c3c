/**
 * The Pod Security Standards' profile "restricted", for one container of a pod: written from its published text
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/), with what "baseline" has in it.
 */

interface Container {
  readonly name: string;
  readonly securityContext?: {
    readonly privileged?: boolean;
    readonly allowPrivilegeEscalation?: boolean;
    readonly runAsNonRoot?: boolean;
    readonly runAsUser?: number;
    readonly procMount?: string;
    readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
    readonly seccompProfile?: { readonly type: string };
  };
  readonly ports?: readonly { readonly hostPort?: number }[];
  readonly volumeMounts?: readonly { readonly name: string }[];
}

interface PodSpec {
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly securityContext?: {
    readonly runAsNonRoot?: boolean;
    readonly seccompProfile?: { readonly type: string };
    readonly sysctls?: readonly { readonly name: string }[];
  };
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
}

const volumeKinds = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
];
const seccompProfiles = ["RuntimeDefault", "Localhost"];
const safeSysctls = [
  ...["kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start"],
  ...["net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports"],
  ...["net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl"],
  ...["net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"],
];

/** What the profile forbids of the pod around it, and of the container itself; the volumes are those that it mounts. */
export function breachesOfRestricted(spec: PodSpec, container: Container): string[] {
  const { securityContext: context = {}, ports = [], volumeMounts = [] } = container;
  const mounted = volumeMounts.map(({ name }) => name);
  const volumes = (spec.volumes ?? []).filter(({ name }) => mounted.includes(name as string));
  const seccomp = context.seccompProfile ?? spec.securityContext?.seccompProfile;
  const rules: readonly (readonly [string, boolean])[] = [
    ["host namespaces", !spec.hostNetwork && !spec.hostPID && !spec.hostIPC],
    ["privileged", !context.privileged],
    ["host ports", ports.every(({ hostPort = 0 }) => hostPort === 0)],
    ["/proc mount type", ["Default", undefined].includes(context.procMount)],
    ["sysctls", (spec.securityContext?.sysctls ?? []).every(({ name }) => safeSysctls.includes(name))],
    [
      "volume types",
      volumes.every((volume) => Object.keys(volume).every((key) => key === "name" || volumeKinds.includes(key))),
    ],
    ["allowPrivilegeEscalation", context.allowPrivilegeEscalation === false],
    ["runAsNonRoot", (context.runAsNonRoot ?? spec.securityContext?.runAsNonRoot) === true],
    ["runAsUser", context.runAsUser !== 0],
    ["seccomp", seccompProfiles.includes(seccomp?.type ?? "")],
    ["capabilities", (context.capabilities?.drop ?? []).includes("ALL")],
    ["added capabilities", (context.capabilities?.add ?? []).every((name) => name === "NET_BIND_SERVICE")],
  ];
  return rules.filter(([, holds]) => !holds).map(([rule]) => rule);
}
