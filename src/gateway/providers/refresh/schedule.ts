/** When a credential is renewed: ahead of its end, by what its profile says or by enough for several attempts. */

import type { RefreshState } from "./refresh-state.ts";

/** What is left of a life when its credential is renewed, if nobody says. */
const AHEAD_SHARE = 0.2;
const LONGEST_AHEAD_MS = 10 * 60_000;
/** Whoever asks for more than this share of a short life would have the credential renewed without end. */
const MOST_SHARE = 0.5;

/** After the first failure; each further one doubles it. */
const FIRST_RETRY_MS = 10_000;
const LAST_RETRY_MS = 15 * 60_000;

/** What a profile says of it. */
export interface RefreshTiming {
  /** Absent: a fifth of its life, and ten minutes at most. */
  readonly refreshBeforeSecs?: number;
  /** A credential is taken to end after so long, even if it was given for longer. */
  readonly maxLifetimeSecs?: number;
}

/** Whole milliseconds since the epoch, not the same for all that were set at once. */
export function refreshTime(
  life: { readonly now: number; readonly expiresAtMs: number },
  { refreshBeforeSecs }: RefreshTiming,
): number {
  const { now, expiresAtMs } = life;
  const lifeMs = Math.max(0, expiresAtMs - now);
  if (refreshBeforeSecs === undefined) {
    return expiresAtMs - jittered(Math.min(lifeMs * AHEAD_SHARE, LONGEST_AHEAD_MS));
  }
  // What was asked for is the least: jitter makes it earlier.
  return expiresAtMs - Math.min(jittered(refreshBeforeSecs * 1250), Math.round(lifeMs * MOST_SHARE));
}

/** Four fifths of it to all of it. Or all that were set in the same moment would be renewed in the same moment for ever. */
function jittered(ms: number): number {
  return Math.round(ms * (0.8 + Math.random() * 0.2));
}

/** When to try again what has failed so often before. */
export function retryTime(now: number, failuresBefore: number): number {
  return now + jittered(Math.min(FIRST_RETRY_MS * 2 ** failuresBefore, LAST_RETRY_MS));
}

/**
 * Whether a credential is to be renewed now. Also if the clock was set back since the last time: who gave it goes by another
 * one, and would let it end long before this one says so.
 */
export function isDue(
  {
    lastRefreshAtMs,
    nextRefreshAtMs,
    failures,
  }: Pick<RefreshState, "lastRefreshAtMs" | "nextRefreshAtMs" | "failures">,
  now: number,
): boolean {
  if (nextRefreshAtMs <= now || lastRefreshAtMs > now) return true;
  return failures > 0 && nextRefreshAtMs > now + LAST_RETRY_MS;
}
