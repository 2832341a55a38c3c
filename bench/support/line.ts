/** What a row of the bench says: one line for each contender, with all its samples. */

export type Unit = "ms" | "µs" | "MB" | "MB/s" | "req/s";

/** One contender's samples, in the order taken. */
export interface Measured {
  readonly name: string;
  readonly unit: Unit;
  readonly samples: readonly number[];
  /** What the ratios of this line and of those below it refer to; the first line always is one. */
  readonly isReference?: boolean;
}

/** A contender that this machine does not have, with the reason. */
export interface Missing {
  readonly name: string;
  readonly missing: string;
}

export type Line = Measured | Missing;

export interface Summary {
  readonly median: number;
  readonly p95: number;
  readonly count: number;
}

/** The median, which a neighbour's burst of work hardly moves, and what one run in twenty exceeds. */
export function summarize({ samples }: Measured): Summary {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { median: at(0.5), p95: at(0.95), count: sorted.length };
}
