/**
 * Counts the open HTTP/2 streams of a sandbox, each of which holds memory, and says what one more may hold: a client that
 * reads nothing leaves all that its upstreams may send ahead here. The more streams are open, the less it is, so that all of
 * them together stay within `upstreamDataBytes`. That slows one down; none is refused before `maxOpenStreams`.
 */
import { minUpstreamWindowBytes, upstreamDataBytes, upstreamWindowBytes } from "./10-forward/limits.ts";

export class StreamBudget {
  readonly #limit: number;
  #open = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False if none is left. */
  take(): boolean {
    if (this.#open === this.#limit) return false;
    this.#open++;
    return true;
  }

  give(): void {
    this.#open--;
  }

  /**
   * Bytes that an upstream may send ahead on the stream that was taken last. A quarter of the budget is for the first
   * sixteen, an eighth for as many again, an eighth for the next thirty-two, and so on: each keeps what it was given.
   */
  get window(): number {
    const doublings = Math.ceil(Math.log2(Math.max(1, this.#open)));
    return Math.max(minUpstreamWindowBytes, Math.min(upstreamWindowBytes, upstreamDataBytes / 4 / 2 ** doublings));
  }
}
