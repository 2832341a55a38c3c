/** A forwarded connection's SSH channel as a stream that ends, breaks and waits like a socket. */
import { Duplex } from "node:stream";
import type { ServerChannel } from "ssh2";
import { ChannelWriter } from "./channel-writer.ts";
import type { SshConnection } from "./ssh-connection.ts";

export class ChannelStream extends Duplex {
  readonly #channel: ServerChannel;
  readonly #writer: ChannelWriter;
  readonly #leave: () => void;

  constructor(channel: ServerChannel, connection: SshConnection) {
    super();
    this.#channel = channel;
    this.#writer = new ChannelWriter(channel, connection.transport);
    this.#leave = connection.onClose(() => this.destroy());
    channel.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) channel.pause();
    });
    channel.on("end", () => this.push(null));
    channel.on("close", () => this.destroy());
    // Whoever uses it listens; before, and after, nobody needs to.
    this.on("error", () => {});
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    void this.#writer.write(chunk).then(() => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#channel.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#leave();
    this.#writer.close();
    this.#channel.end();
    this.#channel.resume();
    done(error);
  }
}
