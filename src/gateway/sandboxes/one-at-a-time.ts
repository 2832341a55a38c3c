/**
 * Work on what runs of a sandbox, one piece after the other: who ends its processes ends all of its user's, also those that
 * somebody else has just started; and who removes its files must not meet somebody who makes them.
 */
export class OneAtATime {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Does the work once all that was asked for before, for this sandbox, is done; gives what it gives. */
  async run<T>(sandboxId: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(sandboxId);
    const own = Promise.resolve(before?.catch(() => undefined)).then(work);
    this.#last.set(sandboxId, own);
    try {
      return await own;
    } finally {
      if (this.#last.get(sandboxId) === own) this.#last.delete(sandboxId);
    }
  }
}
