/** Follows a sandbox to its end, through however many gateways. */
import { setTimeout as delay } from "node:timers/promises";
import { longestRetryMs } from "../../relay/keep-connected.ts";
import type { Gateway } from "../api/gateway.ts";
import { watchSandbox } from "../api/methods.ts";
import { RpcError } from "../api/rpc-error.ts";

const FIRST_RETRY_MS = 100;

export interface Following {
  readonly signal: AbortSignal;
  /** Told of each connection in place of the one before. */
  readonly onConnected: (gateway: Gateway) => void;
  /** Whether to go on while the gateway is away. */
  readonly isWanted: () => boolean;
}

/** Resolves when there is no such sandbox any more, when it is no longer wanted, or with the signal. */
export async function whenSandboxGone(
  sandboxId: string,
  first: Gateway,
  { signal, onConnected, isWanted }: Following,
): Promise<void> {
  let gateway = first;
  let retryMs = FIRST_RETRY_MS;
  while (!signal.aborted && isWanted()) {
    try {
      const watch = { id: sandboxId, followStatus: true };
      for await (const { sandbox } of gateway.channel.serverStream(watchSandbox, watch, { signal })) {
        retryMs = FIRST_RETRY_MS;
        // What comes after that need not be heard: the gateway may be stopped right afterwards.
        if (sandbox?.status?.phase === "SANDBOX_PHASE_DELETING") return;
      }
    } catch (error) {
      if (error instanceof RpcError && error.code === "not_found") return;
    }
    await delay(retryMs, undefined, { signal }).catch(() => undefined);
    retryMs = Math.min(retryMs * 2, longestRetryMs(first.isLocal));
    const next = signal.aborted ? undefined : await first.reconnect().catch(() => undefined);
    if (next === undefined) continue;
    gateway = next;
    onConnected(next);
  }
}
