/**
 * Keeps a sandbox's files below a limit, as the kernel keeps its memory: what runs when there are too many is ended, and the
 * sandbox goes on. No quota of the kernel's is to be had for an ordinary user, nor for root on most file systems; so its
 * files are counted again and again, and what is written between two looks can go beyond.
 */
import { setTimeout as delay } from "node:timers/promises";

/** Soon enough that a disk is not filled meanwhile by what writes a gigabyte in some seconds. */
const LOOK_EVERY_MS = 1_000;
/** A count of a million files takes seconds: no more than a tenth of the time is spent with it. */
const PAUSE_PER_LOOK = 9;

/**
 * How long what runs may leave its files at more than the limit without getting below what they were before. Deleting a
 * large tree takes less from look to look; what deletes and writes anew within one look would stay there for ever.
 */
const GRACE_MS = 60_000;

export interface DiskWatch {
  /** Bytes that its files take. Rejects when they can't be counted. */
  readonly measure: () => Promise<number>;
  /** Whether anything runs that could write. */
  readonly isBusy: () => boolean;
  /** What runs is to be ended, and why, for people. */
  readonly onExceeded: (why: string) => void;
  /** There was too much, and is no longer. */
  readonly onRoom: () => void;
  readonly signal: AbortSignal;
  /** Waits; for tests. */
  readonly pause?: (ms: number) => Promise<void>;
}

/** Looks until the signal. What deletes files while there are too many may go on, and what adds to them may not. */
export async function watchDisk(limitBytes: number, watch: DiskWatch): Promise<void> {
  const { measure, isBusy, onExceeded, onRoom, signal } = watch;
  const pause = watch.pause ?? ((ms) => delay(ms, undefined, { signal }).catch(() => undefined));
  let permitted = limitBytes;
  const standstill = new Standstill();
  let hasFailed = false;
  for (let tookMs = 0; !signal.aborted; ) {
    const pauseMs = Math.max(LOOK_EVERY_MS, tookMs * PAUSE_PER_LOOK);
    await pause(pauseMs);
    if (signal.aborted || !isBusy()) continue;
    const startedAt = performance.now();
    const used = await measure().catch(() => undefined);
    tookMs = performance.now() - startedAt;
    if (signal.aborted) return;
    if (used === undefined) {
      // Once may be the machine's trouble. A limit that nobody can keep is no limit.
      if (hasFailed) onExceeded("what its files take can't be counted");
      hasFailed = true;
      continue;
    }
    hasFailed = false;
    const lastsMs = standstill.after(pauseMs, used);
    if (used > permitted || (used > limitBytes && lastsMs >= GRACE_MS)) {
      standstill.beginAt(used);
      onExceeded(`its files take ${mebibytes(used)} MiB, and may take ${mebibytes(limitBytes)} MiB`);
    } else if (permitted > limitBytes && used <= limitBytes) {
      onRoom();
    }
    permitted = Math.max(limitBytes, used);
  }
}

/** For how long its files have not become less. */
class Standstill {
  #least = Number.POSITIVE_INFINITY;
  #lastsMs = 0;

  after(ms: number, used: number): number {
    if (used < this.#least) this.beginAt(used);
    else this.#lastsMs += ms;
    return this.#lastsMs;
  }

  beginAt(used: number): void {
    this.#least = used;
    this.#lastsMs = 0;
  }
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
