/**
 * Takes bytes out of a stream, for parsers that need to look at what has arrived and take a part of it. Back-pressure is
 * the stream's own: it is paused as soon as it brings what nobody waits for, so that beyond its buffer one piece is held here.
 *
 * The stream flows: Node hands each piece over in the callback that read it. Its other way, `readable` and `read`, takes a
 * turn of the tick queue for each piece, and that is what a proxy does most.
 */
import type { Duplex } from "node:stream";
import { Alarm } from "./alarm.ts";

/** `data`: there is more in `bytes`. `end`: the peer has sent all. `closed`: broken off, by an error or here. */
export type FillResult = "data" | "end" | "closed" | "timeout";

const nothing: Buffer = Buffer.alloc(0);

export class ByteReader {
  readonly stream: Duplex;
  #bytes: Buffer = nothing;
  /** What came since the last `fill`. */
  #arrived: Buffer = nothing;
  #ended: boolean;
  #closed: boolean;
  /** Ends the waiting of whoever waits in `fill`. */
  #resolve: ((result: FillResult) => void) | undefined;
  readonly #alarm = new Alarm(() => this.#settle("timeout"));

  /** From here until `release` nobody else may read the stream. */
  constructor(stream: Duplex) {
    this.stream = stream;
    this.#ended = stream.readableEnded;
    this.#closed = stream.destroyed;
    stream.on("data", this.#onData);
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
    return this.#bytes.length > 0 || this.#arrived.length > 0 || this.stream.readableLength > 0;
  }

  /** Takes the first `count` bytes. */
  take(count: number): void {
    if (count === this.#bytes.length) {
      this.#bytes = nothing;
      return;
    }
    this.#bytes = this.#bytes.subarray(count);
    // What is left may have to be put back, which the stream allows until it has told of its end.
    this.stream.pause();
  }

  /** Gives back what was taken last: it comes next again. */
  putBack(bytes: Buffer): void {
    this.#bytes = join(bytes, this.#bytes);
  }

  /** Waits until there are more bytes, at most so many milliseconds. No promise is made if they are there already. */
  fill(timeoutMs: number): FillResult | Promise<FillResult> {
    const already = this.#collect();
    return already ?? new Promise((resolve) => this.#wait(timeoutMs, resolve));
  }

  /** The same without a promise: `then` is called in the very callback that has read the bytes. It must not throw. */
  fillThen(timeoutMs: number, then: (result: FillResult) => void): FillResult | undefined {
    const already = this.#collect();
    if (already === undefined) this.#wait(timeoutMs, then);
    return already;
  }

  /** Ends the waiting of whoever waits, and of all who come after, as if the stream had been closed. */
  stop(): void {
    this.#closed = true;
    this.#wake();
  }

  /**
   * Lets go of the stream, paused, and puts back what was not taken. False if that is no longer possible, because the
   * stream has reported its end meanwhile: the bytes are then lost and the connection is not to be used.
   */
  release(): boolean {
    this.stream.off("data", this.#onData);
    this.stream.off("end", this.#onEnd);
    this.stream.off("close", this.#onClose);
    this.stream.off("error", this.#onClose);
    this.stream.pause();
    this.#alarm.off();
    const left = join(this.#bytes, this.#arrived);
    if (left.length === 0) return true;
    if (this.stream.readableEnded || this.stream.destroyed) return false;
    this.stream.unshift(left);
    this.#bytes = nothing;
    this.#arrived = nothing;
    return true;
  }

  /** Makes what has arrived a part of `bytes`; undefined if nothing has, and more may come. */
  #collect(): FillResult | undefined {
    // Asking for exactly what is there keeps Node from reporting the end in the same breath; after that report the rest
    // could not be put back by `release`.
    const buffered = this.stream.readableLength;
    if (this.#arrived.length === 0 && buffered > 0) this.stream.read(buffered);
    if (this.#arrived.length > 0) {
      this.#bytes = join(this.#bytes, this.#arrived);
      this.#arrived = nothing;
      return "data";
    }
    if (this.#ended) return "end";
    return this.#closed ? "closed" : undefined;
  }

  #wait(timeoutMs: number, resolve: (result: FillResult) => void): void {
    if (this.stream.isPaused()) this.stream.resume();
    this.#resolve = resolve;
    this.#alarm.set(timeoutMs);
  }

  #wake(): void {
    if (this.#resolve === undefined) return;
    const result = this.#collect();
    if (result !== undefined) this.#settle(result);
  }

  #settle(result: FillResult): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    this.#alarm.clear();
    resolve?.(result);
  }

  readonly #onData = (piece: Buffer): void => {
    this.#arrived = join(this.#arrived, piece);
    if (this.#resolve === undefined) this.stream.pause();
    else this.#wake();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake();
  };

  readonly #onClose = (): void => {
    this.#closed = true;
    this.#wake();
    this.#alarm.off();
  };
}

function join(one: Buffer, other: Buffer): Buffer {
  if (one.length === 0) return other;
  return other.length === 0 ? one : Buffer.concat([one, other]);
}
