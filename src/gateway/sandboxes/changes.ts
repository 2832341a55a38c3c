/** Tells whoever waits that a sandbox changed: the one way in which readiness, watches and log followers learn it. */
import type { SandboxLogLine } from "../../gen/openshell/v1/watch_pb.ts";
import type { SandboxRecord } from "../store/store.ts";

export type SandboxChange =
  | { readonly kind: "record"; readonly record: SandboxRecord }
  | { readonly kind: "removed" }
  | { readonly kind: "session" }
  | { readonly kind: "logs"; readonly lines: readonly SandboxLogLine[] };

export type ChangeListener = (change: SandboxChange) => void;

export class SandboxChanges {
  readonly #listeners = new Map<string, Set<ChangeListener>>();
  readonly #all = new Set<(sandboxId: string, change: SandboxChange) => void>();

  /** Calls the listener at each change from now on; gives a function that ends this. */
  subscribe(sandboxId: string, listener: ChangeListener): () => void {
    const listeners = this.#listeners.get(sandboxId) ?? new Set();
    this.#listeners.set(sandboxId, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(sandboxId);
    };
  }

  /** The same for all sandboxes, those to come included. */
  subscribeAll(listener: (sandboxId: string, change: SandboxChange) => void): () => void {
    this.#all.add(listener);
    return () => void this.#all.delete(listener);
  }

  publish(sandboxId: string, change: SandboxChange): void {
    for (const listener of this.#all) listener(sandboxId, change);
    for (const listener of this.#listeners.get(sandboxId) ?? []) listener(change);
  }
}
