/** A gateway's driver, as it is configured: pods of a cluster, or this machine and its engine's containers. */
import { createHash } from "node:crypto";
import type { EngineAddress } from "../../engine/engine.ts";
import { supervisorSocketPath } from "../../locations/runtime-directory.ts";
import { systemCertificates } from "../../net/system-certificates.ts";
import type { GatewayLog } from "../gateway-log.ts";
import type { WaitingSupervisors } from "../supervisors/waiting-supervisors.ts";
import type { UpstreamConfiguration } from "../upstream/read-upstream.ts";
import { type Contained, ContainerDriver } from "./container/container-driver.ts";
import type { ComputeDriver } from "./driver.ts";
import { createDrivers } from "./drivers.ts";
import { imagesOnly } from "./images-only.ts";
import { findClusterAccess } from "./kubernetes/cluster-access.ts";
import { KubernetesDriver } from "./kubernetes/kubernetes-driver.ts";
import type { KubernetesSettings } from "./kubernetes/kubernetes-file.ts";
import { canUseHostUids, HOST_UIDS_PATH, openHostUids } from "./local/host-uids.ts";
import { createLocalDriver } from "./local/local-driver.ts";

/** What a gateway is told of the place that its sandboxes run in. */
export interface DriverOptions {
  readonly version: string;
  readonly configDirectory: string;
  readonly stateDirectory: string;
  readonly runtimeDirectory: string;
  /** The supervisor's program. */
  readonly supervisorEntry: string;
  /** What supervisors get of the gateway's environment. */
  readonly supervisorEnvironment: Readonly<Record<string, string>>;
  /** How this machine reaches the network outside. */
  readonly upstream: UpstreamConfiguration;
  /** The engine for sandboxes from images, if one listens; looked for when it is needed. */
  readonly containerEngine?: () => EngineAddress | undefined;
  /** Present where the gateway is in a container itself. */
  readonly contained?: Contained;
  /** The cluster that sandboxes run in; absent: on this machine. */
  readonly kubernetes?: KubernetesSettings | undefined;
  /** What a sandbox is made from that asks for no image; absent: from the machine's own programs. */
  readonly sandboxImage?: string;
  /** Whether a gateway that is root gives each sandbox a uid of its own. Only tests say no. */
  readonly useHostUids?: boolean;
  readonly log: GatewayLog;
}

/** How supervisors elsewhere find this gateway and know it. */
export interface GatewayIdentity {
  readonly waiting: WaitingSupervisors;
  /** PEM. */
  readonly authority: string;
}

export function createDriver(options: DriverOptions, identity: GatewayIdentity): ComputeDriver {
  const { kubernetes } = options;
  if (kubernetes !== undefined) return createClusterDriver(options, kubernetes, identity);
  const shared = {
    stateDirectory: options.stateDirectory,
    socketPath: supervisorSocketPath(options.runtimeDirectory),
    supervisorEntry: options.supervisorEntry,
    environment: options.supervisorEnvironment,
    extraCertificates: options.upstream.extraCertificates,
  };
  const { contained, version } = options;
  const containers = new ContainerDriver({
    ...shared,
    contained,
    log: options.log,
    privateDirectories: privateDirectories(options),
    engine: options.containerEngine ?? (() => undefined),
  });
  if (contained !== undefined) {
    return createDrivers(imagesOnly(options.containerEngine?.()?.name ?? "container", version), containers);
  }
  const hostUids = options.useHostUids !== false && canUseHostUids() ? openHostUids(HOST_UIDS_PATH) : undefined;
  return createDrivers(createLocalDriver({ ...shared, version, hostUids }), containers);
}

function createClusterDriver(
  { version, upstream, sandboxImage, log }: DriverOptions,
  settings: KubernetesSettings,
  { waiting, authority }: GatewayIdentity,
): ComputeDriver {
  return new KubernetesDriver({
    settings,
    version,
    access: () => findClusterAccess(settings.kubeconfig, process.env),
    gatewayId: createHash("sha256").update(authority).digest("hex").slice(0, 16),
    authority,
    waiting,
    certificates: [systemCertificates(), upstream.extraCertificates].filter((pem) => pem !== "").join("\n"),
    usualImage: sandboxImage,
    // A cluster that has no room, or is away for a while: no defect of ours.
    onTrouble: (what, error) => log.info(`${what}: ${error instanceof Error ? error.message : String(error)}`),
  });
}

/** Of the gateway: no sandbox may be shown them. */
export function privateDirectories({ stateDirectory, configDirectory, runtimeDirectory }: DriverOptions): string[] {
  return [stateDirectory, configDirectory, runtimeDirectory];
}
