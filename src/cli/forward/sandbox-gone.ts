/** Follows a sandbox to its end, through however many gateways. */
import { type EachConnectionOptions, eachConnection } from "../api/each-connection.ts";
import type { Gateway } from "../api/gateway.ts";
import { watchSandbox } from "../api/methods.ts";
import { RpcError } from "../api/rpc-error.ts";

export interface Following extends EachConnectionOptions {
  readonly signal: AbortSignal;
  /** Told of each connection in place of the one before. */
  readonly onConnected: (gateway: Gateway) => void;
}

/** Resolves when there is no such sandbox any more, when it is no longer wanted, or with the signal. */
export async function whenSandboxGone(sandboxId: string, first: Gateway, following: Following): Promise<void> {
  const { signal, onConnected } = following;
  for await (const gateway of eachConnection(first, following)) {
    onConnected(gateway);
    try {
      const watch = { id: sandboxId, followStatus: true };
      for await (const { sandbox } of gateway.channel.serverStream(watchSandbox, watch, { signal })) {
        // What comes after that need not be heard: the gateway may be stopped right afterwards.
        if (sandbox?.status?.phase === "SANDBOX_PHASE_DELETING") return;
      }
    } catch (error) {
      if (error instanceof RpcError && error.code === "not_found") return;
    }
  }
}
