/**
 * What is said on one SSH channel: one piece at a time, and never faster than the client reads.
 *
 * The library's own stream would do neither. It hands each packet to the transport whether that has room or not; and of a
 * channel whose output and error both wait for the client's window it wakes one only, and may say a piece of the other
 * again. So whoever writes here waits for the piece before, and what the library has kept of that is taken from it.
 */
import type { Duplex } from "node:stream";
import type { ServerChannel } from "ssh2";
import { drained } from "../../net/backpressure.ts";

/** Fields of the library's channel in which it keeps a piece that waits for the client's window. */
const leftovers = { _chunk: undefined, _chunkcb: undefined, _chunkErr: undefined, _chunkcbErr: undefined };

export class ChannelWriter {
  readonly #channel: ServerChannel;
  readonly #transport: Duplex;
  #last: Promise<void> = Promise.resolve();
  #isClosed = false;
  #release = (): void => {};

  constructor(channel: ServerChannel, transport: Duplex) {
    this.#channel = channel;
    this.#transport = transport;
    // What comes of writing to a channel that has closed meanwhile.
    for (const stream of [channel, channel.stderr]) stream.on("error", () => {});
  }

  /** Settles when the client has room for more, or will never read it. */
  write(chunk: Buffer, to: "stdout" | "stderr" = "stdout"): Promise<void> {
    this.#last = this.#last.then(() => this.#put(chunk, to));
    return this.#last;
  }

  /** Nobody reads any more: what waits is dropped. */
  close(): void {
    this.#isClosed = true;
    this.#release();
  }

  async #put(chunk: Buffer, to: "stdout" | "stderr"): Promise<void> {
    if (this.#isClosed) return;
    await new Promise<void>((resolve) => {
      this.#release = resolve;
      (to === "stdout" ? this.#channel : this.#channel.stderr).write(chunk, () => resolve());
    });
    Object.assign(this.#channel, leftovers);
    if (this.#transport.writableNeedDrain) await drained(this.#transport);
  }
}
