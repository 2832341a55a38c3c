/** One target for a while. */
import fc from "fast-check";
import { keptInputs } from "./corpus.ts";
import { mutated } from "./mutate.ts";
import type { FuzzTarget } from "./target.ts";

export interface Finding {
  /** As small as it could be made. */
  readonly input: Buffer;
  readonly error: unknown;
}

export interface FuzzRun {
  /** Inputs tried. */
  readonly inputs: number;
  readonly finding?: Finding;
}

/** Tries what was kept, and then new inputs for `milliseconds`, or until one breaks something. */
export async function fuzz(target: FuzzTarget, milliseconds: number): Promise<FuzzRun> {
  const kept = keptInputs(target.name);
  for (const input of kept) {
    try {
      await target.check(input);
    } catch (error) {
      return { inputs: 1, finding: { input, error } };
    }
  }
  const inputs = mutated([...target.seeds, ...kept], target.tokens);
  const property = fc.asyncProperty(inputs, async (input) => target.check(input));
  const run = await fc.check(property, {
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: milliseconds,
    markInterruptAsFailure: false,
  });
  const [input] = run.counterexample ?? [];
  if (!run.failed || input === undefined) return { inputs: run.numRuns };
  return { inputs: run.numRuns, finding: { input, error: run.errorInstance } };
}
