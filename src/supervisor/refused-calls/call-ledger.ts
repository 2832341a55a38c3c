/**
 * Which refused calls are put on record, when a program may make a million of them a minute. Of each program and call the
 * first is, then each at which the count reaches a power of ten, then one an hour, and at the end whatever is left: a loop
 * of a million leaves eight events, and none is lost from the count.
 */

/** Programs and calls that are told apart. What comes after them is counted together. */
const tallies = 256;
/** No program and call; see `tallies`. */
const others = "";
/** Between two reports of what goes on, in milliseconds. */
const reportAgainMs = 3_600_000;

/** How often a program has made a call. */
export interface CallTally {
  /** Milliseconds since the epoch, of the first call. */
  readonly since: number;
  count: number;
  /** What `count` was when it was reported last. */
  reported: number;
  reportedAt: number;
}

export class CallLedger<Tally extends CallTally> {
  readonly #tallies = new Map<string, Tally>();

  /**
   * Counts a call. The result's tally is to be reported if `isDue`; its first call is the one with `count` 1.
   * @param kind program and call, as one text
   * @param open makes a tally with a count of 0, for this kind or for all that there is no room for
   */
  count(
    kind: string,
    now: number,
    open: (scope: "kind" | "others") => Tally,
  ): { readonly tally: Tally; readonly isDue: boolean } {
    // The last place is for all the others together.
    const hasRoom = this.#tallies.has(kind) || this.#tallies.size < tallies - 1;
    const key = hasRoom ? kind : others;
    const tally = this.#tallies.get(key) ?? open(hasRoom ? "kind" : "others");
    this.#tallies.set(key, tally);
    tally.count++;
    const isDue = isPowerOfTen(tally.count) || now - tally.reportedAt >= reportAgainMs;
    if (isDue) markReported(tally, now);
    return { tally, isDue };
  }

  /** The tallies that have grown since they were reported, which they are now. */
  takeUnreported(now: number): Tally[] {
    const unreported = [...this.#tallies.values()].filter(({ count, reported }) => count > reported);
    for (const tally of unreported) markReported(tally, now);
    return unreported;
  }
}

function markReported(tally: CallTally, now: number): void {
  tally.reported = tally.count;
  tally.reportedAt = now;
}

function isPowerOfTen(count: number): boolean {
  return /^10*$/.test(String(count));
}
