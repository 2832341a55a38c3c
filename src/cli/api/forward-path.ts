/** One ForwardTcp call as a stream: a path of a relay, for as long as the connection to the gateway lasts. */
import { Duplex } from "node:stream";
import type { Duplex as Call } from "./channel.ts";
import type { ForwardInput } from "./forward-wire.ts";

export class ForwardPath extends Duplex {
  readonly #call: Call<ForwardInput, Uint8Array>;
  #isReading = false;
  #wake: (() => void) | undefined;

  /** @param call to which the start has been sent */
  constructor(call: Call<ForwardInput, Uint8Array>) {
    super({ allowHalfOpen: true });
    this.#call = call;
  }

  override _write(data: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#call.send({ kind: "data", data })) done();
    else void this.#call.drained().then(done);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "binary", done);
  }

  override _final(done: () => void): void {
    this.#call.end();
    done();
  }

  override _read(): void {
    this.#wake?.();
    if (this.#isReading) return;
    this.#isReading = true;
    this.#readAll().catch((error: Error) => this.destroy(error));
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#wake?.();
    this.#call.cancel();
    done(error);
  }

  async #readAll(): Promise<void> {
    for await (const data of this.#call) {
      if (this.destroyed) return;
      if (this.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength))) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.push(null);
  }
}
