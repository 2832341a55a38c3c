/** Whether a gateway can serve: what `/readyz` and a container's probe ask. */
import type { Store } from "../store/store.ts";

/** What the answer rests on; each is a word for people and programs, `ok` where nothing is wrong. */
export interface ReadinessReport {
  readonly ready: boolean;
  readonly checks: { readonly database: string; readonly sandboxes: string; readonly gateway: string };
}

export interface Readiness {
  /** Known sandboxes have been brought together with what really runs. */
  reconciled(): void;
  report(): Promise<ReadinessReport>;
}

/** `signal` is aborted when the gateway stops. */
export function createReadiness(store: Store, signal: AbortSignal): Readiness {
  let isReconciled = false;
  return {
    reconciled() {
      isReconciled = true;
    },
    async report() {
      const checks = {
        database: await databaseState(store),
        sandboxes: isReconciled ? "ok" : "reconciling",
        gateway: signal.aborted ? "stopping" : "ok",
      };
      return { ready: Object.values(checks).every((state) => state === "ok"), checks };
    },
  };
}

/** The error itself, which may name paths, is for the log of whoever meets it next. */
async function databaseState({ sandboxes }: Store): Promise<string> {
  try {
    await sandboxes.list({ workspace: "", limit: 1, offset: 0, labels: new Map() });
    return "ok";
  } catch {
    return "unreadable";
  }
}
