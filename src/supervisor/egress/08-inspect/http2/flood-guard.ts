/**
 * Counts the frames of one side of an HTTP/2 connection against the floods that are known by name: rapid reset
 * (CVE-2023-44487), PING, SETTINGS, PRIORITY, CONTINUATION and WINDOW_UPDATE floods, empty DATA (CVE-2019-9511 to -9518).
 * Each of them is legal frame by frame; what they have in common is that they cost the receiver and carry nothing.
 */
import { type FrameHeader, frameTypes } from "../../../../net/http2-frames.ts";
import {
  idleFramesPerUsefulFrame,
  maxIdleFrames,
  maxIdleFramesPerSecond,
  maxStreamResets,
  maxStreamResetsPerSecond,
} from "../../10-forward/limits.ts";

export class FloodGuard {
  readonly #resets: Allowance;
  readonly #idle: Allowance;

  /** @param now milliseconds of any clock that does not go back */
  constructor(now: () => number) {
    this.#resets = new Allowance({ burst: maxStreamResets, perSecond: maxStreamResetsPerSecond }, now);
    this.#idle = new Allowance({ burst: maxIdleFrames, perSecond: maxIdleFramesPerSecond }, now);
  }

  /** Takes note of a frame; gives what it is too much of. */
  receive({ type, length }: FrameHeader): string | undefined {
    if (type === frameTypes.rstStream) return this.#resets.spend() ? undefined : "resets of streams";
    const isUseful = type === frameTypes.headers || (type === frameTypes.data && length > 0);
    if (isUseful) this.#idle.earn(idleFramesPerUsefulFrame);
    else if (!this.#idle.spend()) return "frames that carry nothing";
    return undefined;
  }

  /** Takes note of a frame of the other side's, which has to be answered with window updates and acknowledgements. */
  send({ type, length }: FrameHeader): void {
    if (type === frameTypes.headers || (type === frameTypes.data && length > 0))
      this.#idle.earn(idleFramesPerUsefulFrame);
  }

  /** Takes note of a stream that had to be reset because it was malformed; gives what it is too much of. */
  malformedStream(): string | undefined {
    return this.#resets.spend() ? undefined : "malformed streams";
  }
}

/** A bucket of tokens that fills up with time. */
class Allowance {
  readonly #limit: { readonly burst: number; readonly perSecond: number };
  readonly #now: () => number;
  #left: number;
  #filledAt: number;

  constructor(limit: { readonly burst: number; readonly perSecond: number }, now: () => number) {
    this.#limit = limit;
    this.#now = now;
    this.#left = limit.burst;
    this.#filledAt = now();
  }

  earn(count: number): void {
    this.#left = Math.min(this.#limit.burst, this.#left + count);
  }

  /** False if nothing is left. */
  spend(): boolean {
    if (this.#left < 1) {
      // Only now, since most connections never ask the clock.
      const now = this.#now();
      this.earn(((now - this.#filledAt) / 1000) * this.#limit.perSecond);
      this.#filledAt = now;
    }
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
