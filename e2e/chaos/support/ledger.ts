/**
 * What a gateway has acknowledged, written down beside it. A change whose call broke off may have been made or not: until the
 * next acknowledged one, either is right. One writer for each entry, so that it knows what comes after what.
 */
import assert from "node:assert/strict";

interface Entry {
  acknowledged: string | undefined;
  /** Asked for since, without an answer. */
  possible: (string | undefined)[];
}

export class Ledger {
  readonly #entries = new Map<string, Entry>();
  #acknowledged = 0;

  /** How many changes have been acknowledged. */
  get size(): number {
    return this.#acknowledged;
  }

  /** Makes a change by `act`, which rejects if it is not known whether it was made. `value` is undefined for a deletion. */
  async write(key: string, value: string | undefined, act: () => Promise<unknown>): Promise<void> {
    const entry = this.#entries.get(key) ?? { acknowledged: undefined, possible: [] };
    this.#entries.set(key, entry);
    entry.possible.push(value);
    await act();
    entry.acknowledged = value;
    entry.possible = [];
    this.#acknowledged += 1;
  }

  /** Fails, with what is wrong, unless `actual` has all that was acknowledged, and nothing that was not asked for. */
  requireKept(actual: ReadonlyMap<string, string>): void {
    const wrong = [...new Set([...this.#entries.keys(), ...actual.keys()])].flatMap((key) => {
      const { acknowledged, possible } = this.#entries.get(key) ?? { acknowledged: undefined, possible: [] };
      const found = actual.get(key);
      if ([acknowledged, ...possible].includes(found)) return [];
      return [`${key} is ${found}; acknowledged ${acknowledged}, asked for since ${possible.join(", ") || "nothing"}`];
    });
    assert.deepEqual(wrong, [], "what was acknowledged is not what there is");
    // What was found to be so is what later changes are measured by.
    for (const [key, entry] of this.#entries) {
      entry.acknowledged = actual.get(key);
      entry.possible = [];
    }
  }
}
