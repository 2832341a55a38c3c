/** When a credential is renewed: ahead of its end, by what its profile says or by enough for several attempts. */

/** What is left of a life when its credential is renewed, if nobody says. */
const AHEAD_SHARE = 0.2;
const LONGEST_AHEAD_MS = 10 * 60_000;
/** Whoever asks for more than this share of a short life would have the credential renewed without end. */
const MOST_SHARE = 0.5;

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
export function jittered(ms: number): number {
  return Math.round(ms * (0.8 + Math.random() * 0.2));
}
