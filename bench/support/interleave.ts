/** Takes samples of several contenders in turns, A B C A B C, so that what else the machine does falls on all alike. */
import type { Line, Missing, Unit } from "./line.ts";

/** One way of doing what a row measures. */
export interface Contender {
  readonly name: string;
  /** As in `Measured`. */
  readonly isReference?: boolean;
  /** Does it once. @returns how long that took, in the unit of the row, or nothing to have the call itself timed in ms. */
  // biome-ignore lint/suspicious/noConfusingVoidType: most contenders return nothing
  once(): Promise<number | void>;
  /** What must be there for the next `once`; not timed. */
  before?(): Promise<unknown>;
  /** What it leaves behind is removed; not timed. */
  after?(): Promise<unknown>;
}

export interface Interleaving {
  readonly rounds: number;
  /** Default: ms. */
  readonly unit?: Unit;
}

/** Files come into the page cache, compiled code into its caches, just-in-time compilers to their decisions. */
const WARM_UP_ROUNDS = 3;

/** @returns a line for each contender, in the given order. Throws what a contender throws: half a row misleads. */
export async function interleave(
  contenders: readonly (Contender | Missing)[],
  { rounds, unit = "ms" }: Interleaving,
): Promise<readonly Line[]> {
  const lines = contenders.map((contender) => {
    return "missing" in contender ? contender : startLine(contender, unit);
  });
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      const line = lines[index];
      if ("missing" in contender || line === undefined || "missing" in line) continue;
      await contender.before?.();
      const sample = await timed(() => contender.once());
      await contender.after?.();
      if (round >= 0) line.samples.push(sample);
    }
  }
  return lines;
}

function startLine({ name, isReference }: Contender, unit: Unit) {
  return { name, unit, samples: [] as number[], ...(isReference && { isReference }) };
}

// biome-ignore lint/suspicious/noConfusingVoidType: as above
async function timed(act: () => Promise<number | void>): Promise<number> {
  const start = performance.now();
  const own = await act();
  return own ?? performance.now() - start;
}
