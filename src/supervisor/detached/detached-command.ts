/** One command that runs without a client: its output as it is kept, and who follows it. */
import { Writable } from "node:stream";
import { type StreamName, streamHeader } from "../../net/exec-frames.ts";
import type { ExecChannel, ExecListener } from "../exec-channel.ts";
import type { KeptOutput } from "../kept-output.ts";
import { unattendedChannel } from "../unattended-channel.ts";

export class DetachedCommand {
  /** Frames as on a command's channel (net/exec-frames.ts), each whole in one file: which stream it was is kept as well. */
  readonly output: KeptOutput;
  #exitCode: number | undefined;
  #listener: ExecListener | undefined;
  #news = Promise.withResolvers<void>();

  /** @param exitCode of one that has ended already */
  constructor(output: KeptOutput, exitCode?: number) {
    this.output = output;
    this.#exitCode = exitCode;
  }

  /** Undefined while it runs; once it is known, all of its output is kept. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** Resolves when there is more output, or it has ended. */
  get news(): Promise<void> {
    return this.#news.promise;
  }

  /** Delivers a signal, by its name; nothing to one that has ended. */
  signal(name: string): void {
    if (this.#exitCode === undefined) this.#listener?.signal(name);
  }

  resize(size: Parameters<ExecListener["resize"]>[0]): void {
    if (this.#exitCode === undefined) this.#listener?.resize(size);
  }

  /** For the program to run on. `ended` is called once its output is kept. */
  channel(tty: boolean, ended: (exitCode: number) => void): ExecChannel {
    return unattendedChannel({
      tty,
      stdout: this.#writer("stdout"),
      stderr: this.#writer("stderr"),
      listen: (listener) => {
        this.#listener = listener;
      },
      exited: (code) => {
        void this.output.close().then(() => {
          this.#exitCode = code;
          this.#tell();
          ended(code);
        });
      },
    });
  }

  #writer(stream: StreamName): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        void this.output.append(Buffer.concat([streamHeader(stream, chunk.length), chunk])).then(() => {
          this.#tell();
          done();
        });
      },
    });
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}
