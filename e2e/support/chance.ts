/**
 * Chance that can be had again: what a run did at random follows from its seed, which is printed, and which
 * OPENSHELL_CHAOS_SEED sets. When a process dies in relation to what others do is the machine's own chance all the same.
 */
import { randomInt } from "node:crypto";

export class Chance {
  readonly seed: number;
  #state: number;

  constructor(seed = Number(process.env["OPENSHELL_CHAOS_SEED"] ?? randomInt(2 ** 31))) {
    this.seed = seed;
    this.#state = seed;
  }

  /** From 0 to below 1. Mulberry32: 32 bits of state are enough to choose what to kill. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[this.below(from.length)];
    if (picked === undefined) throw new Error("there is nothing to choose from");
    return picked;
  }
}

/** How often something is done: a few times in CI, as often as OPENSHELL_CHAOS_ROUNDS says by hand. */
export function rounds(usual: number): number {
  return Number(process.env["OPENSHELL_CHAOS_ROUNDS"] ?? usual);
}
