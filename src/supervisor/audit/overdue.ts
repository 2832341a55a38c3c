/**
 * What was begun and is not over in time, by one timer for all of it: nearly everything is over long before, and a timer for
 * each would cost as much as its record.
 */

interface Open<Begun> {
  readonly begun: Begun;
  /** Ticks of the timer that it has seen. */
  ticks: number;
}

/** The time is counted in halves, so that something may be told of up to half of it early. */
const ticksInTime = 2;

export class Overdue<Begun> {
  readonly #open = new Map<string, Open<Begun>>();
  readonly #tickMilliseconds: number;
  readonly #onOverdue: (begun: Begun) => void;
  #timer: NodeJS.Timeout | undefined;

  /** `onOverdue` is told once of each that has taken so many milliseconds, or at least half of them. */
  constructor(milliseconds: number, onOverdue: (begun: Begun) => void) {
    this.#tickMilliseconds = milliseconds / ticksInTime;
    this.#onOverdue = onOverdue;
  }

  begin(id: string, begun: Begun): void {
    this.#open.set(id, { begun, ticks: 0 });
    this.#timer ??= this.#wait();
  }

  /** What was begun under this id; undefined if nothing was, or it is over already. */
  end(id: string): Begun | undefined {
    const open = this.#open.get(id);
    this.#open.delete(id);
    return open?.begun;
  }

  #wait(): NodeJS.Timeout {
    // Unreferenced: the log alone must not keep a supervisor alive.
    return setTimeout(() => this.#tick(), this.#tickMilliseconds).unref();
  }

  #tick(): void {
    for (const open of this.#open.values()) {
      open.ticks++;
      if (open.ticks === ticksInTime) this.#onOverdue(open.begun);
    }
    this.#timer = this.#open.size > 0 ? this.#wait() : undefined;
  }
}
