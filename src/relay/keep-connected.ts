/** The end that dials: paths for a resumable stream, one after the other, for as long as it needs one. */
import type { Duplex } from "node:stream";
import type { ResumableStream } from "./resumable-stream.ts";

/** Soon enough that a restarted gateway is noticed before a person has noticed that it was away … */
const FIRST_RETRY_MS = 50;
/** … and seldom enough that a machine full of clients without a gateway has better things to do. */
const LAST_RETRY_MS = 5_000;
/**
 * On one machine a look costs next to nothing, and a gateway that is there for a moment only (it is started, deletes the
 * sandbox, and is stopped) must not be missed: whoever waits for its sandbox would wait in vain.
 */
const LAST_NEAR_RETRY_MS = 250;
/**
 * A stream of which the other end has never been heard. Far less than the other end would wait for us: what it has opened
 * and we have not heard of must not be opened a second time.
 */
const OPEN_TIMEOUT_SECONDS = 60;

export interface Dialling {
  /**
   * Connects anew. What it gives is destroyed when it breaks, with the error that says why.
   * @param isKnown the other end knows the stream: it must not be opened there anew
   */
  dial(isKnown: boolean): Promise<Duplex>;
  /** Whether an error of `dial` or of a path will be the same the next time. */
  isFinal(error: unknown): boolean;
  /** Whether what is dialled is on this machine. */
  readonly isNear: boolean;
  /** Told of each break, and of the first word after it. */
  onConnection?(isConnected: boolean): void;
}

/** Keeps the stream connected until it needs no path any more. Its failure is the stream's; this never rejects. */
export async function keepConnected(
  relay: ResumableStream,
  { dial, isFinal, isNear, onConnection }: Dialling,
): Promise<void> {
  // A command line's start counts in milliseconds: what would load modules of Node's is not used here.
  const openUntil = process.uptime() + OPEN_TIMEOUT_SECONDS;
  let retryMs = FIRST_RETRY_MS;
  let isFirst = true;
  while (!relay.destroyed && !relay.isSettled) {
    try {
      const path = await dial(relay.hasHeard);
      path.once("data", () => {
        retryMs = FIRST_RETRY_MS;
        onConnection?.(true);
      });
      relay.attach(path, { isFirst });
      isFirst = false;
      await broken(path);
    } catch (error) {
      if (isFinal(error) || (!relay.hasHeard && process.uptime() > openUntil)) {
        relay.destroy(error instanceof Error ? error : new Error(String(error)));
        return;
      }
    }
    if (relay.destroyed || relay.isSettled) return;
    onConnection?.(false);
    // Jitter, or all that a gateway has lost would knock in the same moment.
    await delay(retryMs * (0.5 + Math.random() / 2));
    retryMs = Math.min(retryMs * 2, longestRetryMs(isNear));
  }
}

/** What the time between two attempts grows to, towards a gateway on this machine or elsewhere. */
export function longestRetryMs(isNear: boolean): number {
  return isNear ? LAST_NEAR_RETRY_MS : LAST_RETRY_MS;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

/** Resolves when the path has closed; rejects if an error closed it. */
function broken(path: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    if (path.closed) return resolve();
    path.once("error", reject).once("close", resolve);
  });
}
