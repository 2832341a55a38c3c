/** The client's end of a command's channel: input and words towards the command, what it says as events. */
import type { Duplex } from "node:stream";
import {
  EXEC_INPUT_WINDOW_BYTES,
  ExecFrameReader,
  resizeFrame,
  signalFrame,
  stdinEndFrame,
  streamHeader,
} from "./exec-frames.ts";

/** What a running command says; the exit comes last. */
export type ExecEvent =
  | { readonly kind: "stdout" | "stderr"; readonly data: Buffer }
  | { readonly kind: "exit"; readonly code: number };

export class ExecCall {
  readonly #stream: Duplex;
  #credit = EXEC_INPUT_WINDOW_BYTES;
  /** Input beyond the credit, and whether the end of the input stands behind it. */
  #waiting: Buffer[] = [];
  #isEnding = false;
  #hasEnded = false;
  readonly #onDrained: (() => void)[] = [];

  /** On a stream whose other end is an exec channel. Its errors are told by `events`. */
  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on("error", () => {});
    stream.on("close", () => this.#drain());
  }

  /** Sends input. False when the command reads more slowly: wait for `drained` before sending more. */
  write(data: Uint8Array): boolean {
    if (this.#isEnding) return true;
    this.#waiting.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    this.#pump();
    return this.#waiting.length === 0;
  }

  /** Resolves when the command has room for more input, or is over. */
  drained(): Promise<void> {
    if (this.#waiting.length === 0 || this.#stream.destroyed) return Promise.resolve();
    return new Promise((resolve) => this.#onDrained.push(resolve));
  }

  /** No more input will come; the command sees end of file. */
  endInput(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#pump();
  }

  signal(name: string): void {
    this.#send(signalFrame(name));
  }

  resize(columns: number, rows: number): void {
    this.#send(resizeFrame(columns, rows));
  }

  /** The command is no longer wanted: it is told, and its output dropped. */
  cancel(): void {
    this.#stream.destroy();
  }

  /** What the command says, up to its exit; without one when the channel ended before. Throws the channel's error. */
  async *events(): AsyncGenerator<ExecEvent> {
    const read: ExecEvent[] = [];
    const reader = new ExecFrameReader((frame) => {
      if (frame.kind === "input-credit") {
        this.#credit += frame.bytes;
        this.#pump();
      } else if (frame.kind === "stdout" || frame.kind === "stderr" || frame.kind === "exit") {
        read.push(frame as ExecEvent);
      }
    });
    for await (const chunk of this.#stream) {
      const isWhole = reader.push(chunk as Buffer);
      for (const event of read.splice(0)) {
        yield event;
        if (event.kind === "exit") return;
      }
      if (!isWhole) return;
    }
  }

  #send(frame: Buffer): void {
    if (!this.#stream.destroyed && !this.#stream.writableEnded) this.#stream.write(frame);
  }

  #pump(): void {
    if (this.#stream.destroyed) return this.#drain();
    for (let first = this.#waiting[0]; first !== undefined && this.#credit > 0; first = this.#waiting[0]) {
      const piece = first.subarray(0, this.#credit);
      this.#credit -= piece.length;
      this.#stream.cork();
      this.#send(streamHeader("stdin", piece.length));
      this.#send(piece);
      this.#stream.uncork();
      if (piece.length < first.length) this.#waiting[0] = first.subarray(piece.length);
      else this.#waiting.shift();
    }
    if (this.#waiting.length > 0) return;
    if (this.#isEnding && !this.#hasEnded) {
      this.#hasEnded = true;
      this.#send(stdinEndFrame());
    }
    this.#drain();
  }

  #drain(): void {
    for (const resolve of this.#onDrained.splice(0)) resolve();
  }
}
