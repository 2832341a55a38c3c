/**
 * What is said on a command's channel, both ways: frames of one byte kind, four bytes length (big endian), then the bytes.
 * Standard output and standard error stay apart, in the order written; the exit is the last frame, so that no output
 * follows it. Input has a window of its own: a signal is never kept waiting behind input that the command does not read.
 */

/** Towards the client. */
const STDOUT = 1;
const STDERR = 2;
const EXIT = 3;
const INPUT_CREDIT = 4;
/** Towards the command. */
const STDIN = 16;
const STDIN_END = 17;
const SIGNAL = 18;
const RESIZE = 19;

export type ExecFrame =
  | { readonly kind: "stdout" | "stderr" | "stdin"; readonly data: Buffer }
  /** `code` as wait(2) would give it, 128 + n for signal n. */
  | { readonly kind: "exit"; readonly code: number }
  /** So many bytes more of input may be sent. */
  | { readonly kind: "input-credit"; readonly bytes: number }
  | { readonly kind: "stdin-end" }
  /** By its name, such as `SIGINT`. */
  | { readonly kind: "signal"; readonly name: string }
  | { readonly kind: "resize"; readonly columns: number; readonly rows: number };

export type StreamName = "stdout" | "stderr" | "stdin";

const HEADER_BYTES = 5;
/** A pipe holds 64 KiB, so one read never gives more than a few of those; a larger length is a broken stream. */
export const MAX_FRAME_BYTES = 1024 * 1024;
/** Input that may be under way before the command has taken any of it. */
export const EXEC_INPUT_WINDOW_BYTES = 256 * 1024;
/** No signal's name is longer. */
const MAX_WORD_BYTES = 32;

const streams: ReadonlyMap<number, StreamName> = new Map([
  [STDOUT, "stdout"],
  [STDERR, "stderr"],
  [STDIN, "stdin"],
]);
const streamKinds = { stdout: STDOUT, stderr: STDERR, stdin: STDIN } as const;

/** The header of a frame of `length` bytes of the stream; the bytes follow as they are. */
export function streamHeader(stream: StreamName, length: number): Buffer {
  return header(streamKinds[stream], length);
}

export function exitFrame(code: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeInt32BE(code);
  return word(EXIT, payload);
}

export function inputCreditFrame(bytes: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt32BE(bytes);
  return word(INPUT_CREDIT, payload);
}

export function stdinEndFrame(): Buffer {
  return header(STDIN_END, 0);
}

export function signalFrame(name: string): Buffer {
  return word(SIGNAL, Buffer.from(name).subarray(0, MAX_WORD_BYTES));
}

export function resizeFrame(columns: number, rows: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt16BE(columns & 0xffff, 0);
  payload.writeUInt16BE(rows & 0xffff, 2);
  return word(RESIZE, payload);
}

function word(kind: number, payload: Buffer): Buffer {
  return Buffer.concat([header(kind, payload.length), payload]);
}

function header(kind: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES);
  bytes[0] = kind;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

/** Reads frames from chunks that end anywhere. Streams come as they arrive, not once a frame is whole, and uncopied. */
export class ExecFrameReader {
  readonly #onFrame: (frame: ExecFrame) => void;
  /** The header and behind it a word's payload, as far as they have come. */
  readonly #head = Buffer.alloc(HEADER_BYTES + MAX_WORD_BYTES);
  #filled = 0;
  #streamLeft = 0;

  constructor(onFrame: (frame: ExecFrame) => void) {
    this.#onFrame = onFrame;
  }

  /** Takes the next chunk; false when the stream is broken and must not be read on. */
  push(chunk: Buffer): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#streamLeft > 0) {
        const data = chunk.subarray(at, at + this.#streamLeft);
        this.#streamLeft -= data.length;
        at += data.length;
        this.#onFrame({ kind: streams.get(this.#head[0] ?? 0) ?? "stdout", data });
        continue;
      }
      const taken = chunk.copy(this.#head, this.#filled, at, at + this.#wanted() - this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled < HEADER_BYTES) continue;
      if (!this.#isSound()) return false;
      if (this.#filled === this.#wanted()) this.#complete();
    }
    return true;
  }

  get #length(): number {
    return this.#head.readUInt32BE(1);
  }

  /** How much of the head there must be to go on. */
  #wanted(): number {
    if (this.#filled < HEADER_BYTES || streams.has(this.#head[0] ?? 0)) return HEADER_BYTES;
    return HEADER_BYTES + this.#length;
  }

  #isSound(): boolean {
    const kind = this.#head[0] ?? 0;
    if (streams.has(kind)) return this.#length <= MAX_FRAME_BYTES;
    if (kind === SIGNAL) return this.#length <= MAX_WORD_BYTES;
    if (kind === STDIN_END) return this.#length === 0;
    return (kind === EXIT || kind === INPUT_CREDIT || kind === RESIZE) && this.#length === 4;
  }

  #complete(): void {
    const payload = this.#head.subarray(HEADER_BYTES, this.#filled);
    this.#filled = 0;
    switch (this.#head[0]) {
      case EXIT:
        return this.#onFrame({ kind: "exit", code: payload.readInt32BE() });
      case INPUT_CREDIT:
        return this.#onFrame({ kind: "input-credit", bytes: payload.readUInt32BE() });
      case STDIN_END:
        return this.#onFrame({ kind: "stdin-end" });
      case SIGNAL:
        return this.#onFrame({ kind: "signal", name: payload.toString() });
      case RESIZE:
        return this.#onFrame({ kind: "resize", columns: payload.readUInt16BE(0), rows: payload.readUInt16BE(2) });
      default:
        this.#streamLeft = this.#length;
    }
  }
}
