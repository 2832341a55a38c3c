/**
 * The gateway's pods as the cluster has them: a list, and then a watch from where that was. A watch that ends goes on from its
 * last event; one whose place the API has forgotten (410) begins with a list anew.
 */
import { setTimeout as delay } from "node:timers/promises";
import { ApiRefusal, type KubernetesApi, type Query } from "./kubernetes-api.ts";
import type { Pod } from "./pod-state.ts";

const GONE = 410;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 10_000;
/** The API ends a watch after this time, and so a connection that is dead without anybody's word does not last. */
const WATCH_SECONDS = 240;

type Listener = () => void;

export class PodWatch {
  readonly #api: KubernetesApi;
  readonly #query: Query;
  readonly #onTrouble: (error: unknown) => void;
  readonly #ending = new AbortController();
  readonly #listeners = new Set<Listener>();
  #pods = new Map<string, Pod>();
  #version = "";

  constructor(api: KubernetesApi, query: Query, onTrouble: (error: unknown) => void) {
    this.#api = api;
    this.#query = query;
    this.#onTrouble = onTrouble;
  }

  /** Resolves once the pods are known; goes on by itself. Throws if they can't be listed. */
  async start(): Promise<void> {
    await this.#list();
    void this.#follow();
  }

  get pods(): readonly Pod[] {
    return [...this.#pods.values()];
  }

  get(name: string): Pod | undefined {
    return this.#pods.get(name);
  }

  /** What the API has just answered, before the watch tells of it. */
  learn(pod: Pod): void {
    this.#pods.set(pod.metadata.name, pod);
    this.#tell();
  }

  /** Resolves with what `find` gives of the pods, as soon as that is something; rejects with the signal's reason. */
  until<T>(find: () => T | undefined, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const finish = () => {
        this.#listeners.delete(look);
        signal.removeEventListener("abort", abort);
      };
      const abort = () => {
        finish();
        reject(signal.reason);
      };
      const look = () => {
        const found = find();
        if (found === undefined) return;
        finish();
        resolve(found);
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#listeners.add(look);
      look();
    });
  }

  close(): void {
    this.#ending.abort();
    this.#listeners.clear();
  }

  async #list(): Promise<void> {
    const { items, metadata } = await this.#api.list<Pod>("pods", this.#query);
    this.#pods = new Map(items.map((pod) => [pod.metadata.name, pod]));
    this.#version = metadata.resourceVersion;
    this.#tell();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#ending;
    let retryMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      try {
        await this.#watchOnce(signal);
        retryMs = FIRST_RETRY_MS;
      } catch (error) {
        if (signal.aborted) return;
        if (isGone(error)) this.#version = "";
        else this.#onTrouble(error);
        await delay(retryMs, undefined, { signal, ref: false }).catch(() => undefined);
        retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
      }
    }
  }

  async #watchOnce(signal: AbortSignal): Promise<void> {
    if (this.#version === "") await this.#list();
    const place = {
      resourceVersion: this.#version,
      allowWatchBookmarks: "true",
      timeoutSeconds: String(WATCH_SECONDS),
    };
    for await (const { type, object } of this.#api.watch<Pod>("pods", { ...this.#query, ...place }, signal)) {
      if (type === "ERROR") throw refusalIn(object);
      this.#version = object.metadata.resourceVersion;
      if (type === "BOOKMARK") continue;
      const { name, uid } = object.metadata;
      if (type !== "DELETED") this.#pods.set(name, object);
      // Another one with its name may be there by now.
      else if (this.#pods.get(name)?.metadata.uid === uid) this.#pods.delete(name);
      this.#tell();
    }
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

const isGone = (error: unknown): boolean => error instanceof ApiRefusal && error.status === GONE;

/** An ERROR event has a Status in the pod's place. */
function refusalIn(object: object): ApiRefusal {
  const status = object as { readonly code?: number; readonly reason?: string; readonly message?: string };
  return new ApiRefusal(status.code ?? 0, status);
}
