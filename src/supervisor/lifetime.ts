/** When a sandbox ends by itself: it has stood empty for long enough, or its time is over. */
import { setTimeout as delay } from "node:timers/promises";
import type { Lifetime } from "./launch-spec.ts";

/** Often enough for limits that people give in seconds, and a look costs one directory read. */
const LOOK_EVERY_MS = 500;

export interface LifetimeOptions {
  /** Whether anything runs in the sandbox, or is about to. */
  readonly isBusy: () => boolean;
  readonly signal: AbortSignal;
}

/** Resolves with the reason when one of the times is over; never, when there is no limit or the signal comes first. */
export async function whenLifetimeOver(
  { idleSeconds, maxSeconds }: Lifetime,
  { isBusy, signal }: LifetimeOptions,
): Promise<"idle" | "max_lifetime"> {
  if (idleSeconds === 0 && maxSeconds === 0) return new Promise(() => {});
  const startedAt = performance.now();
  let idleSince = startedAt;
  while (!signal.aborted) {
    const now = performance.now();
    if (idleSeconds === 0 || isBusy()) idleSince = now;
    if (maxSeconds > 0 && now - startedAt >= maxSeconds * 1000) return "max_lifetime";
    if (idleSeconds > 0 && now - idleSince >= idleSeconds * 1000) return "idle";
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  return new Promise(() => {});
}
