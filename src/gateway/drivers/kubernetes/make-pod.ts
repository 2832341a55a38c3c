/** Making a sandbox's pod and what stands beside it, and waiting until it can be given orders. */
import { failedPrecondition } from "../../refuse.ts";
import { type ApiObject, ApiRefusal, type Kind, type KubernetesApi } from "./kubernetes-api.ts";
import { labelsOf, objectName, type PodPlan, podBody } from "./pod-body.ts";
import { deviationOf, isUp, type Pod, troubleOf, waitsFor } from "./pod-state.ts";
import type { PodWatch } from "./pod-watch.ts";

interface ClusterEvent extends ApiObject {
  readonly message?: string;
}

/** What the pod's supervisor is summoned by, and the volume that the sandbox keeps, where it keeps any. */
export async function createBeside(
  api: KubernetesApi,
  plan: PodPlan,
  summons: Readonly<Record<string, string>>,
): Promise<void> {
  const { storage } = plan.settings;
  const name = objectName(plan.sandboxId);
  const metadata = { name, labels: labelsOf(plan) };
  // Left by a start that was cut off; its token is good for nothing any more.
  await api.delete("secrets", name);
  const stringData = { ...summons, pod: name };
  await api.create("secrets", {
    apiVersion: "v1",
    kind: "Secret",
    metadata,
    type: "Opaque",
    immutable: true,
    stringData,
  });
  if (storage === undefined) return;
  await createUnlessThere(api, "persistentvolumeclaims", {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata,
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: storage.size } },
      ...(storage.class !== undefined && { storageClassName: storage.class }),
    },
  });
}

/** @throws ConnectError if the cluster has made something else of it */
export async function createPod(api: KubernetesApi, plan: PodPlan): Promise<Pod> {
  const body = podBody(plan);
  const pod = await api.create<Pod>("pods", body);
  const deviation = deviationOf(pod.spec, body.spec);
  if (deviation === undefined) return pod;
  throw failedPrecondition(`the cluster does not run a sandbox's pod as it must be: ${deviation}`);
}

export interface WantedPod {
  readonly api: KubernetesApi;
  readonly watch: PodWatch;
  readonly pod: Pod;
  /** Its supervisor has asked for its orders. */
  readonly arrived: Promise<void>;
}

/** @throws ConnectError that says why it does not come up */
export async function untilReady(
  { api, watch, pod, arrived }: WantedPod,
  { seconds, signal }: { readonly seconds: number; readonly signal: AbortSignal },
): Promise<void> {
  const done = new AbortController();
  const ends = AbortSignal.any([done.signal, signal, AbortSignal.timeout(seconds * 1000)]);
  const { name } = pod.metadata;
  const up = watch.until(() => {
    const now = watch.get(name);
    return now !== undefined && isUp(now) ? now : undefined;
  }, ends);
  const trouble = watch.until(() => endOf(watch, pod), ends);
  trouble.catch(() => undefined);
  try {
    await Promise.race([
      Promise.all([up, arrived]),
      trouble.then((why) => {
        throw failedPrecondition(`the sandbox's pod does not come up: ${why}`);
      }),
    ]);
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== "TimeoutError") throw error;
    const why = (await lastWarning(api, pod)) ?? waitsFor(watch.get(name));
    throw failedPrecondition(`the sandbox's pod did not come up within ${seconds} s: ${why}`);
  } finally {
    up.catch(() => undefined);
    done.abort();
  }
}

/** Why this very pod is no place for a sandbox any more; undefined while it is one. */
export function endOf(watch: PodWatch, pod: Pod): string | undefined {
  const now = watch.get(pod.metadata.name);
  return now?.metadata.uid === pod.metadata.uid ? troubleOf(now) : "the pod was deleted";
}

/** What the cluster has told of it last, such as a node that can't give it what it wants. */
async function lastWarning(api: KubernetesApi, { metadata }: Pod): Promise<string | undefined> {
  const fieldSelector = `involvedObject.uid=${metadata.uid},type=Warning`;
  const { items } = await api.list<ClusterEvent>("events", { fieldSelector }).catch(() => ({ items: [] }));
  return items.at(-1)?.message;
}

async function createUnlessThere(api: KubernetesApi, kind: Kind, body: object): Promise<void> {
  try {
    await api.create(kind, body);
  } catch (error) {
    if (!(error instanceof ApiRefusal && error.status === 409)) throw error;
  }
}
