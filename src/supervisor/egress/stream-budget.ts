/** Counts the open HTTP/2 streams of a sandbox: each holds memory, and a connection may have many. */
export class StreamBudget {
  #left: number;

  constructor(limit: number) {
    this.#left = limit;
  }

  /** False if none is left. */
  take(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }

  give(): void {
    this.#left++;
  }
}
