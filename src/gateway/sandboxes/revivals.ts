/**
 * When sandboxes that should run and do not are brought back: at once as a rule, later and later for one that does not stay
 * up, and a few at a time where it is all of them, as after a restart of the machine.
 */

/** Before each attempt in a row; after the last of them somebody has to look. */
const PAUSES_MS: readonly number[] = [0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000];
/** One that stayed up for so long begins anew with the first. */
const STEADY_MS = 10 * 60_000;
/** A start keeps a processor busy for a while; more at once would only make each wait for all. */
const AT_ONCE = 4;

interface Attempts {
  readonly count: number;
  readonly lastAtMs: number;
}

export class Revivals {
  readonly #revive: (sandboxId: string) => Promise<void>;
  readonly #attempts = new Map<string, Attempts>();
  readonly #waiting: (() => Promise<void>)[] = [];
  #underWay = 0;

  constructor(revive: (sandboxId: string) => Promise<void>) {
    this.#revive = revive;
  }

  /** How long to wait before the sandbox is brought back; undefined when that has been tried often enough. `nowMs` is monotonic. */
  nextPauseMs(sandboxId: string, nowMs: number): number | undefined {
    return PAUSES_MS[this.#countAt(sandboxId, nowMs)];
  }

  /** What `nextPauseMs` said at that time is what happens: the next time it says the next. */
  countAttempt(sandboxId: string, nowMs: number): void {
    const count = this.#countAt(sandboxId, nowMs);
    const pauseMs = PAUSES_MS[count];
    if (pauseMs === undefined) this.#attempts.delete(sandboxId);
    else this.#attempts.set(sandboxId, { count: count + 1, lastAtMs: nowMs + pauseMs });
  }

  #countAt(sandboxId: string, nowMs: number): number {
    const last = this.#attempts.get(sandboxId);
    return last === undefined || nowMs - last.lastAtMs >= STEADY_MS ? 0 : last.count;
  }

  /** Brings the sandbox back after the pause. Returns at once. */
  schedule(sandboxId: string, pauseMs: number): void {
    setTimeout(() => {
      this.#waiting.push(() => this.#revive(sandboxId));
      this.#startNext();
    }, pauseMs).unref();
  }

  /** Somebody has started or deleted it: what was before counts no more. */
  forget(sandboxId: string): void {
    this.#attempts.delete(sandboxId);
  }

  #startNext(): void {
    if (this.#underWay >= AT_ONCE) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#underWay += 1;
    void next().finally(() => {
      this.#underWay -= 1;
      this.#startNext();
    });
  }
}
