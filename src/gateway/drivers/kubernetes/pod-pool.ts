/**
 * Pods that are ready before anybody has asked: of one image, and without limits of their own. A sandbox that fits takes one;
 * another comes in its place.
 */
export interface ReadyPod {
  /** Kept once it can't be used any more. */
  readonly ended: Promise<unknown>;
}

export interface PodPoolOptions<P extends ReadyPod> {
  readonly size: number;
  /** Makes a pod, and resolves when it is ready. */
  readonly make: () => Promise<P>;
  readonly onTrouble: (error: unknown) => void;
}

/** A cluster that has no room is not asked for more all the time. */
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 60_000;

export class PodPool<P extends ReadyPod> {
  readonly #options: PodPoolOptions<P>;
  readonly #ready = new Set<P>();
  readonly #making = new Set<Promise<void>>();
  #pauseMs = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: PodPoolOptions<P>) {
    this.#options = options;
  }

  /** Makes what is missing; returns at once. */
  fill(): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    while (this.#ready.size + this.#making.size < this.#options.size) {
      const making = this.#makeOne().finally(() => this.#making.delete(making));
      this.#making.add(making);
    }
  }

  /** One that is ready, the oldest; undefined if there is none just now. */
  take(): P | undefined {
    const [first] = this.#ready;
    if (first === undefined) return undefined;
    this.#ready.delete(first);
    this.fill();
    return first;
  }

  /** Makes no more; gives those that are left, once nothing is being made any more. */
  async close(): Promise<readonly P[]> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#making);
    const left = [...this.#ready];
    this.#ready.clear();
    return left;
  }

  async #makeOne(): Promise<void> {
    try {
      const pod = await this.#options.make();
      this.#pauseMs = FIRST_PAUSE_MS;
      this.#ready.add(pod);
      void pod.ended.then(() => {
        if (this.#ready.delete(pod)) this.#fillLater();
      });
    } catch (error) {
      if (!this.#isClosed) this.#options.onTrouble(error);
      this.#fillLater();
    }
  }

  #fillLater(): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.fill();
    }, this.#pauseMs).unref();
    this.#pauseMs = Math.min(this.#pauseMs * 2, LAST_PAUSE_MS);
  }
}
