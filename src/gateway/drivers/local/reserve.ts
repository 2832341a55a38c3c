import type { PreparedSupervisor } from "../driver.ts";

/**
 * One supervisor that is started before anybody asks, because starting it takes longer than everything else in creating a
 * sandbox. Refilled a while after it was taken: right away would compete with the sandbox that is being started.
 */
const REFILL_DELAY_MS = 60;

export interface ReserveOptions {
  readonly prepare: () => Promise<PreparedSupervisor>;
  /** Ends one that nobody will use, and removes what belongs to it. */
  readonly discard: (supervisor: PreparedSupervisor) => Promise<void>;
  /** Whether what was prepared then is of use now. */
  readonly isCurrent: () => boolean;
}

export class Reserve {
  readonly #prepare: ReserveOptions["prepare"];
  readonly #discard: ReserveOptions["discard"];
  readonly #isCurrent: ReserveOptions["isCurrent"];
  #waiting: Promise<PreparedSupervisor | undefined> | undefined;
  /** Those that are being discarded. */
  readonly #leaving = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor({ prepare, discard, isCurrent }: ReserveOptions) {
    this.#prepare = prepare;
    this.#discard = discard;
    this.#isCurrent = isCurrent;
  }

  /** The one in reserve, or a new one where there is none. */
  async take(): Promise<PreparedSupervisor> {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#refillLater();
    const supervisor = await waiting;
    if (supervisor !== undefined && this.#isCurrent()) return supervisor;
    if (supervisor !== undefined) this.#letGo(supervisor);
    return this.#prepare();
  }

  /** Prepares one, if there is none. */
  fill(): void {
    if (this.#waiting !== undefined || this.#isClosed) return;
    const waiting: Promise<PreparedSupervisor | undefined> = this.#prepare().then(
      (supervisor) => {
        void supervisor.ended.then(() => this.#forget(waiting, supervisor));
        return supervisor;
      },
      // Whoever asks next prepares one himself and gets to see the error.
      () => undefined,
    );
    this.#waiting = waiting;
  }

  /** Nothing of it runs when the promise is kept. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const supervisor = await this.#waiting;
    this.#waiting = undefined;
    if (supervisor !== undefined) this.#letGo(supervisor);
    await Promise.all(this.#leaving);
  }

  /** What can't be removed now (a full disk) goes when a gateway starts the next time. */
  #letGo(supervisor: PreparedSupervisor): void {
    const leaving = this.#discard(supervisor)
      .catch(() => undefined)
      .finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  #refillLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.fill(), REFILL_DELAY_MS);
    this.#timer.unref();
  }

  /** One that ended while it waited is no reserve. It is not replaced at once: the next would likely end as well. */
  #forget(waiting: Promise<PreparedSupervisor | undefined>, supervisor: PreparedSupervisor): void {
    if (this.#waiting !== waiting) return;
    this.#waiting = undefined;
    this.#letGo(supervisor);
  }
}
