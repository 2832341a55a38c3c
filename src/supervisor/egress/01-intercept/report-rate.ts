/** How many events of one kind are put on record when there are very many. A token bucket that counts what it holds back. */

/** Reports at once after a quiet time: what a package manager asks for at its start. */
const burst = 200;
/** Reports a second in the long run. At 500 bytes each this is 1 GB a day at the very most. */
const perSecond = 20;

export class ReportRate {
  readonly #now: () => number;
  #tokens = burst;
  #filledAt: number;
  #heldBack = 0;

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now;
    this.#filledAt = now();
  }

  /** Undefined if this event is not to be reported, else how many were held back since the last report. */
  take(): number | undefined {
    const now = this.#now();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * perSecond);
    this.#filledAt = now;
    if (this.#tokens < 1) {
      this.#heldBack++;
      return undefined;
    }
    this.#tokens--;
    const heldBack = this.#heldBack;
    this.#heldBack = 0;
    return heldBack;
  }
}
