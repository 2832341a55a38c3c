/**
 * Pulls bytes out of a stream, for parsers that need to look at what has arrived and take a part of it. Back-pressure is
 * the stream's own: nothing is read that was not asked for, beyond the stream's buffer and one piece here.
 */
import type { Duplex } from "node:stream";

/** `data`: there is more in `bytes`. `end`: the peer has sent all. `closed`: broken off, by an error or here. */
export type FillResult = "data" | "end" | "closed" | "timeout";

const nothing: Buffer = Buffer.alloc(0);

export class ByteReader {
  readonly stream: Duplex;
  #bytes: Buffer = nothing;
  #ended: boolean;
  #closed: boolean;
  #wake: (() => void) | undefined;

  /** From here until `release` nobody else may read the stream. */
  constructor(stream: Duplex) {
    this.stream = stream;
    this.#ended = stream.readableEnded;
    this.#closed = stream.destroyed;
    stream.on("readable", this.#onReadable);
    stream.on("end", this.#onEnd);
    stream.on("close", this.#onClose);
    stream.on("error", this.#onClose);
  }

  /** What has arrived and was not taken. Stays valid until the next `fill`. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Whether bytes have arrived, here or in the stream, without reading them. */
  get hasArrived(): boolean {
    return this.#bytes.length > 0 || this.stream.readableLength > 0;
  }

  /** Takes the first `count` bytes. */
  take(count: number): void {
    this.#bytes = count === this.#bytes.length ? nothing : this.#bytes.subarray(count);
  }

  /** Gives back what was taken last: it comes next again. */
  putBack(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([bytes, this.#bytes]);
  }

  /** Waits until there are more bytes, at most so many milliseconds. No promise is made if they are there already. */
  fill(timeoutMs: number): FillResult | Promise<FillResult> {
    const already = this.#pull();
    if (already !== undefined) return already;
    const { promise, resolve } = Promise.withResolvers<FillResult>();
    const timer = setTimeout(() => {
      this.#wake = undefined;
      resolve("timeout");
    }, timeoutMs);
    this.#wake = () => {
      const result = this.#pull();
      if (result === undefined) return;
      clearTimeout(timer);
      this.#wake = undefined;
      resolve(result);
    };
    return promise;
  }

  /** Ends the waiting of whoever waits, and of all who come after, as if the stream had been closed. */
  stop(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /**
   * Lets go of the stream and puts back what was not taken. False if that is no longer possible, because the stream has
   * reported its end meanwhile: the bytes are then lost and the connection is not to be used.
   */
  release(): boolean {
    this.stream.off("readable", this.#onReadable);
    this.stream.off("end", this.#onEnd);
    this.stream.off("close", this.#onClose);
    this.stream.off("error", this.#onClose);
    if (this.#bytes.length === 0) return true;
    if (this.stream.readableEnded || this.stream.destroyed) return false;
    this.stream.unshift(this.#bytes);
    this.#bytes = nothing;
    return true;
  }

  #pull(): FillResult | undefined {
    // Asking for exactly what is there keeps Node from reporting the end in the same breath; after that report the rest
    // could not be put back by `release`.
    const count = this.stream.readableLength;
    const piece: Buffer | null = count > 0 ? this.stream.read(count) : null;
    if (piece !== null) {
      this.#bytes = this.#bytes.length === 0 ? piece : Buffer.concat([this.#bytes, piece]);
      return "data";
    }
    if (this.#ended) return "end";
    if (this.#closed) return "closed";
    // With nothing buffered this asks for more, or for the report of the end.
    this.stream.read(0);
    return undefined;
  }

  readonly #onReadable = (): void => this.#wake?.();

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake?.();
  };

  readonly #onClose = (): void => {
    this.#closed = true;
    this.#wake?.();
  };
}
