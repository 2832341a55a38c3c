/**
 * Sandboxes in a cluster: for each start a pod, with the agent's container, the supervisor's, and one that has guarded their
 * network before. The supervisor dials the gateway, which is its only way to orders.
 */
import { randomUUID } from "node:crypto";
import type { GatewayAddress, Preparation } from "../../../supervisor/launch-spec.ts";
import { podView } from "../../../supervisor/pod-setup/pod-layout.ts";
import { failedPrecondition, notAvailable, unavailable } from "../../refuse.ts";
import type { ExpectedSupervisor, WaitingSupervisors } from "../../supervisors/waiting-supervisors.ts";
import type {
  ComputeDriver,
  Demands,
  ImageSource,
  Placement,
  PreparedSupervisor,
  SupervisorProcess,
} from "../driver.ts";
import type { ClusterAccess } from "./cluster-access.ts";
import { nodeSelectorOf } from "./driver-config.ts";
import { ApiRefusal, type Kind, KubernetesApi } from "./kubernetes-api.ts";
import type { KubernetesSettings } from "./kubernetes-file.ts";
import { createBeside, createPod, endOf, untilReady } from "./make-pod.ts";
import { GATEWAY_LABEL, hiddenVariables, objectName, type PodPlan, SANDBOX_LABEL, socketPath } from "./pod-body.ts";
import { PodPool } from "./pod-pool.ts";
import { type Pod, troubleOf } from "./pod-state.ts";
import { PodWatch } from "./pod-watch.ts";

/** A node that does not answer keeps its pods, as far as anybody knows. */
const GONE_WITHIN_MS = 60_000;
/** What a container gets to end by itself; a pod that is deleted with none is forgotten while it may still run. */
const KILL_GRACE_SECONDS = 1;

export interface KubernetesDriverOptions {
  readonly version: string;
  readonly settings: KubernetesSettings;
  readonly access: () => ClusterAccess;
  /** By which this gateway knows its own pods. */
  readonly gatewayId: string;
  /** The gateway's authority (PEM). */
  readonly authority: string;
  readonly waiting: WaitingSupervisors;
  /** Authorities (PEM) that sandboxes trust besides their image's. */
  readonly certificates: string;
  /** What sandboxes are mostly made from. */
  readonly usualImage: string | undefined;
  readonly onTrouble: (what: string, error: unknown) => void;
}

interface Reach {
  readonly api: KubernetesApi;
  readonly watch: PodWatch;
}

/** Nodes pull what a pod names, and nobody asks them to before there is one. */
const clusterImages: ImageSource = {
  // biome-ignore lint/correctness/useYield: there is nothing to tell
  async *pull(image) {
    return image;
  },
  // biome-ignore lint/correctness/useYield: there is nothing to tell
  async *build() {
    throw notAvailable(
      "a cluster builds no images: build it elsewhere, push it to a registry, and name it with --from",
    );
  },
};

export class KubernetesDriver implements ComputeDriver {
  readonly name = "kubernetes";
  readonly images = clusterImages;
  readonly version: string;
  readonly #options: KubernetesDriverOptions;
  readonly #pool: PodPool<PreparedSupervisor>;
  readonly #closing = new AbortController();
  #reach: Promise<Reach> | undefined;
  #watch: PodWatch | undefined;

  constructor(options: KubernetesDriverOptions) {
    this.#options = options;
    this.version = options.version;
    const { settings, usualImage, onTrouble } = options;
    const image = settings.pool.image ?? usualImage;
    this.#pool = new PodPool({
      size: image === undefined ? 0 : settings.pool.size,
      make: () => this.#make({ sandboxId: randomUUID(), image: image ?? "" }, { folders: [], limits: {} }),
      onTrouble: (error) => onTrouble("a pod for the pool", error),
    });
  }

  async claim(demands: Demands, image?: string): Promise<PreparedSupervisor> {
    if (image === undefined) {
      throw failedPrecondition(
        "a sandbox in a cluster is made from an image: use --from, or start the gateway with --sandbox-image",
      );
    }
    const { pool } = this.#options.settings;
    const isUsual = image === (pool.image ?? this.#options.usualImage) && isPlain(demands);
    const ready = isUsual ? this.#pool.take() : undefined;
    return ready ?? (await this.#make({ sandboxId: randomUUID(), image }, demands));
  }

  async prepare(placement: Placement, demands: Demands): Promise<PreparedSupervisor> {
    const { folders } = demands;
    if (folders[0] !== undefined)
      throw notAvailable(`${folders[0].host} is not in the cluster: use \`sandbox upload\``);
    const { sandboxId, image = "" } = placement;
    const { api, watch } = await this.#connected();
    const { settings, gatewayId, waiting } = this.#options;
    const plan: PodPlan = { sandboxId, gatewayId, image, demands, settings };
    const expected = waiting.expect(objectName(sandboxId), this.#preparation(sandboxId));
    try {
      await createBeside(api, plan, this.#summons(expected));
      const pod = await createPod(api, plan);
      watch.learn(pod);
      const wanted = { api, watch, pod, arrived: expected.arrived };
      await untilReady(wanted, { seconds: settings.startSeconds, signal: this.#closing.signal });
      return this.#supervisor(watch, { placement, pod, demands, expected });
    } catch (error) {
      expected.forget();
      await this.kill(placement).catch(() => undefined);
      if (error instanceof ApiRefusal)
        throw failedPrecondition(`the cluster refused the sandbox's pod: ${error.message}`);
      throw error;
    }
  }

  /** Only who runs it can look into an image: its supervisor. */
  async policyOf(): Promise<string | undefined> {
    return undefined;
  }

  whyNot({ limits, gpus, driverConfig }: Demands): string | undefined {
    // Throws for what nobody could have.
    nodeSelectorOf(driverConfig);
    if (gpus === "all") return "a cluster gives GPUs by their number: say how many, as in --gpu=1";
    if (limits.diskBytes !== undefined) return "disk is the cluster's to limit: see `storage` in kubernetes.yaml";
    if (limits.processes !== undefined && !this.#options.settings.userNamespaces) {
      return "processes can't be limited: without user namespaces they are counted together with other pods'";
    }
    return undefined;
  }

  layer(): never {
    throw onMachineOnly();
  }

  async fork(): Promise<never> {
    throw onMachineOnly();
  }

  async saveState(): Promise<never> {
    throw onMachineOnly();
  }

  async savedStates(): Promise<[]> {
    return [];
  }

  async restoreState(): Promise<never> {
    throw onMachineOnly();
  }

  async removeSavedState(): Promise<never> {
    throw onMachineOnly();
  }

  /** Pods are found by the sandbox's id, from wherever the gateway is. */
  isHere(): boolean {
    return true;
  }

  /** A pod is known by its uid, which no later one has. */
  isRunning({ startTime: uid }: SupervisorProcess): boolean {
    const pod = this.#watch?.pods.find(({ metadata }) => metadata.uid === uid);
    return pod !== undefined && troubleOf(pod) === undefined;
  }

  /** It dials again by itself, within a second. */
  wake(): void {}

  async kill({ sandboxId }: Placement): Promise<void> {
    const { api, watch } = await this.#connected();
    const name = objectName(sandboxId);
    const uid = watch.get(name)?.metadata.uid;
    await api.delete("pods", name, { gracePeriodSeconds: KILL_GRACE_SECONDS });
    const isGone = () => (watch.get(name)?.metadata.uid === uid && uid !== undefined ? undefined : true);
    await watch.until(isGone, AbortSignal.timeout(GONE_WITHIN_MS)).catch(() => {
      throw unavailable(`pod ${name} is still there after ${GONE_WITHIN_MS / 1000} s: its node does not answer`);
    });
    await api.delete("secrets", name);
  }

  async remove(placement: Placement): Promise<void> {
    await this.kill(placement);
    const { api } = await this.#connected();
    if (this.#options.settings.storage) await api.delete("persistentvolumeclaims", objectName(placement.sandboxId));
  }

  async sweep(known: readonly Placement[]): Promise<void> {
    const { api } = await this.#connected();
    const keep = new Set(known.map(({ sandboxId }) => sandboxId));
    const labelSelector = `${GATEWAY_LABEL}=${this.#options.gatewayId}`;
    const listed = await Promise.all(
      this.#kinds().map(async (kind) => (await api.list(kind, { labelSelector })).items),
    );
    const found = listed.flat().map(({ metadata }) => metadata.labels?.[SANDBOX_LABEL]);
    const stray = new Set(found.filter((id): id is string => id !== undefined && !keep.has(id)));
    await Promise.all([...stray].map((sandboxId) => this.remove({ sandboxId })));
    this.#pool.fill();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const left = (await this.#pool.close()).map(({ placement }) => objectName(placement.sandboxId));
    const reach = await this.#reach?.catch(() => undefined);
    // What can't be deleted now is swept at the next start.
    const kinds = this.#kinds();
    const deleted = left.flatMap((name) => kinds.map((kind) => reach?.api.delete(kind, name).catch(() => undefined)));
    await Promise.all(deleted);
    reach?.watch.close();
    reach?.api.close();
  }

  /** What sandboxes are made of; for nothing else has the gateway a right. */
  #kinds(): readonly Kind[] {
    return ["pods", "secrets", ...(this.#options.settings.storage ? (["persistentvolumeclaims"] as const) : [])];
  }

  async #make(placement: Placement, demands: Demands): Promise<PreparedSupervisor> {
    try {
      return await this.prepare(placement, demands);
    } catch (error) {
      await this.remove(placement).catch(() => undefined);
      throw error;
    }
  }

  #preparation(sandboxId: string): Preparation {
    const { settings, certificates } = this.#options;
    return {
      sandboxId,
      directories: podView.directories,
      extraCertificates: certificates,
      container: {
        socketPath,
        etc: podView.etc,
        user: { uid: settings.agentUser, gid: settings.agentUser },
        pod: { hiddenVariables },
      },
    };
  }

  /** See await-orders.ts. */
  #summons({ token }: ExpectedSupervisor) {
    const { settings, authority } = this.#options;
    const { host, port } = settings.gateway;
    return { gateway: host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`, "ca.crt": authority, token };
  }

  #supervisor(watch: PodWatch, { placement, pod, demands, expected }: Ready): PreparedSupervisor {
    const { uid } = pod.metadata;
    const { processes } = demands.limits;
    const ended = watch.until(() => endOf(watch, pod), this.#closing.signal);
    return {
      placement,
      process: { pid: 0, startTime: uid },
      gateway: this.#gateway(),
      directories: podView.directories,
      folders: [],
      limits: { join: [], ...(processes !== undefined && { processes }) },
      launch: expected.launch,
      ended: ended.then(
        (why) => {
          expected.forget();
          return { why };
        },
        // This gateway stops; the pod goes on.
        () => new Promise<never>(() => undefined),
      ),
    };
  }

  #gateway(): GatewayAddress {
    const { settings, authority } = this.#options;
    return { ...settings.gateway, authority };
  }

  /** Asked for when it is first needed, and again until it has answered. */
  async #connected(): Promise<Reach> {
    this.#reach ??= this.#connect().catch((error: unknown) => {
      this.#reach = undefined;
      throw error;
    });
    return await this.#reach;
  }

  async #connect(): Promise<Reach> {
    const { settings, gatewayId, access, onTrouble } = this.#options;
    const api = new KubernetesApi(access(), settings.namespace);
    const query = { labelSelector: `${GATEWAY_LABEL}=${gatewayId}` };
    const watch = new PodWatch(api, query, (error) => onTrouble("the watch over the cluster's pods", error));
    await watch.start();
    this.#watch = watch;
    return { api, watch };
  }
}

/** Nothing is asked for that a pod must be made for. */
const isPlain = ({ limits, gpus, driverConfig, folders }: Demands): boolean =>
  [limits, driverConfig ?? {}, folders].every((asked) => Object.keys(asked).length === 0) && gpus === undefined;

interface Ready {
  readonly placement: Placement;
  readonly pod: Pod;
  readonly demands: Demands;
  readonly expected: ExpectedSupervisor;
}

const onMachineOnly = () =>
  notAvailable("what a sandbox in a cluster has written can't be copied or reviewed: use `sandbox download`");
