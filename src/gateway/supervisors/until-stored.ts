/**
 * What the gateway learns once and must not forget: it is stored now, or as soon as that is possible. A full disk has room again
 * when somebody has made some, and a database that is away comes back.
 */
import type { GatewayContext } from "../context.ts";

/** Between two attempts to store what the gateway must not forget. */
const TRY_AGAIN_MS = 2_000;

export interface Storing {
  /** For the log, where it fails. */
  readonly what: string;
  readonly store: () => Promise<void>;
  /** Asked before each further attempt. Default: it always is. */
  readonly isWanted?: () => boolean;
}

/** Resolves after the first attempt; others follow until one succeeds. Never throws. */
export async function untilStored(context: GatewayContext, storing: Storing): Promise<void> {
  try {
    await storing.store();
  } catch (error) {
    context.log.error(storing.what, error);
    storeLater(context, storing);
  }
}

/** The same, for what has just failed. Returns at once. */
export function storeLater(context: GatewayContext, storing: Storing): void {
  const { isWanted = () => true } = storing;
  setTimeout(() => {
    if (!context.signal.aborted && isWanted()) void untilStored(context, storing);
  }, TRY_AGAIN_MS).unref();
}
