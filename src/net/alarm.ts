/**
 * A time limit that is set and cleared over and over, and hardly ever reached: that of each wait on a connection. A timer of
 * Node's costs more than what is waited for, so it is left running when the alarm is cleared, and when it fires too early it
 * is set for the rest.
 */
export class Alarm {
  readonly #ring: () => void;
  /** By `performance.now`; infinite while nothing is waited for. */
  #due = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #timerDue = Number.POSITIVE_INFINITY;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** To ring in so many milliseconds, unless cleared or set anew before. */
  set(milliseconds: number): void {
    const now = performance.now();
    this.#due = now + milliseconds;
    if (this.#due < this.#timerDue) this.#start(milliseconds, now);
  }

  /** Not to ring. */
  clear(): void {
    this.#due = Number.POSITIVE_INFINITY;
  }

  /** The same, for when it will not be set again soon: nothing is left running. */
  off(): void {
    this.clear();
    clearTimeout(this.#timer);
    this.#timerDue = Number.POSITIVE_INFINITY;
  }

  #start(milliseconds: number, now: number): void {
    clearTimeout(this.#timer);
    this.#timerDue = now + milliseconds;
    // Unreferenced: what is waited for keeps the program alive, and this timer may be left of an earlier wait.
    this.#timer = setTimeout(this.#onTimer, milliseconds).unref();
  }

  readonly #onTimer = (): void => {
    this.#timerDue = Number.POSITIVE_INFINITY;
    if (this.#due === Number.POSITIVE_INFINITY) return;
    const now = performance.now();
    const left = this.#due - now;
    // Timers count whole milliseconds of the event loop's clock, and may be early by one.
    if (left >= 1) return this.#start(left, now);
    this.clear();
    this.#ring();
  };
}
