/** Messages to be read at the reader's pace. Ends with `end`, or when one of the signals is aborted. */
export class MessageQueue<T> implements AsyncIterable<T>, Disposable {
  readonly #waiting: T[] = [];
  readonly #signals: readonly AbortSignal[];
  readonly #endNow = () => this.end();
  #wake: () => void = () => {};
  #isEnded = false;

  constructor(signals: readonly AbortSignal[]) {
    this.#signals = signals;
    for (const signal of signals) {
      if (signal.aborted) this.#isEnded = true;
      signal.addEventListener("abort", this.#endNow);
    }
  }

  push(message: T): void {
    this.#waiting.push(message);
    this.#wake();
  }

  /** What is in the queue is still read. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message !== undefined) yield message;
      else if (this.#isEnded) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  [Symbol.dispose](): void {
    for (const signal of this.#signals) signal.removeEventListener("abort", this.#endNow);
  }
}
