/** A gateway through its restarts: for what follows something, and begins anew on each connection. */
import { setTimeout as delay } from "node:timers/promises";
import { longestRetryMs } from "../../relay/keep-connected.ts";
import type { Gateway } from "./gateway.ts";

const FIRST_RETRY_MS = 100;
/** A connection that held for so long was of use: the next is tried for at once. */
const STEADY_MS = 1_000;

export interface EachConnectionOptions {
  /** Ends it. */
  readonly signal?: AbortSignal;
  /** Whether to go on while the gateway is away. */
  readonly isWanted?: () => boolean;
  /** Told when the gateway goes, and when it is back. */
  readonly onAbsence?: (isAway: boolean) => void;
}

/** Gives the connection, and another one each time the reader is done with it, as soon as there is one. */
export async function* eachConnection(
  first: Gateway,
  { signal, isWanted = () => true, onAbsence }: EachConnectionOptions = {},
): AsyncGenerator<Gateway> {
  let gateway = first;
  let retryMs = FIRST_RETRY_MS;
  while (!signal?.aborted && isWanted()) {
    const since = performance.now();
    yield gateway;
    if (performance.now() - since >= STEADY_MS) retryMs = FIRST_RETRY_MS;
    onAbsence?.(true);
    let next: Gateway | undefined;
    while (next === undefined) {
      await delay(retryMs, undefined, signal && { signal }).catch(() => undefined);
      retryMs = Math.min(retryMs * 2, longestRetryMs(first.isLocal));
      if (signal?.aborted || !isWanted()) return;
      next = await first.reconnect().catch(() => undefined);
    }
    onAbsence?.(false);
    gateway = next;
  }
}
