/** A client that reads too slowly is told what it missed, instead of filling the gateway's memory. */
const MAX_WAITING = 10_000;

/** So many changes were dropped at this place. */
export interface Missed {
  readonly kind: "missed";
  readonly count: number;
}

/** Changes from now on, to be read at the reader's pace. Disposing ends it. */
export class ChangeQueue<Change> implements Disposable {
  readonly #waiting: Change[] = [];
  readonly #unsubscribe: () => void;
  readonly #signals: readonly AbortSignal[];
  readonly #wakeUp = () => this.#wake();
  #wake: () => void = () => {};
  #missed = 0;

  /** @param subscribe begins to call back at each change, and gives what ends that */
  constructor(subscribe: (listener: (change: Change) => void) => () => void, signals: readonly AbortSignal[]) {
    this.#signals = signals;
    for (const signal of signals) signal.addEventListener("abort", this.#wakeUp);
    this.#unsubscribe = subscribe((change) => {
      if (this.#waiting.length < MAX_WAITING) this.#waiting.push(change);
      else this.#missed += 1;
      this.#wake();
    });
  }

  /** The next change; undefined once one of the signals is aborted. */
  async next(): Promise<Change | Missed | undefined> {
    while (!this.#signals.some(({ aborted }) => aborted)) {
      const change = this.#waiting.shift();
      if (change !== undefined) return change;
      if (this.#missed > 0) {
        const count = this.#missed;
        this.#missed = 0;
        return { kind: "missed", count };
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return undefined;
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
    for (const signal of this.#signals) signal.removeEventListener("abort", this.#wakeUp);
  }
}
