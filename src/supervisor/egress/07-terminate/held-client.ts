/**
 * A client whose ClientHello has come and can't be answered yet. Nobody reads from it meanwhile, and a stream that nobody
 * reads from does not tell of its end; so what it has said is held here, until somebody may read it.
 */
import type { Duplex } from "node:stream";
import { ByteReader } from "../../../net/byte-reader.ts";
import { clientHelloLimit } from "../../../net/client-hello.ts";

/** Longer than any upstream is waited for. */
const longestWaitMs = 60_000;

export class HeldClient {
  readonly #reader: ByteReader;
  readonly #gone = new AbortController();
  #isHeld = true;

  constructor(stream: Duplex) {
    this.#reader = new ByteReader(stream);
    void this.#watch();
  }

  /** Aborted when the client has left: one that sends no more can't finish a handshake either. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Lets go of the client, whose bytes are on its stream again; false if it has left. */
  release(): boolean {
    this.#isHeld = false;
    // Ends the watch.
    this.#reader.stop();
    return this.#reader.release() && !this.#gone.signal.aborted;
  }

  async #watch(): Promise<void> {
    // A client has nothing to say before it is answered; one that goes on is not watched any further, so that it fills no memory.
    while (this.#isHeld && this.#reader.bytes.length <= 2 * clientHelloLimit) {
      const filled = await this.#reader.fill(longestWaitMs);
      if (filled !== "data" && this.#isHeld) return this.#gone.abort();
    }
  }
}
