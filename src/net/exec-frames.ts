/**
 * The output side of an exec channel: frames of one byte kind, four bytes length (big endian), then the bytes. Standard
 * output and standard error stay apart, in the order written; the exit is the last frame, so that no output follows it.
 * The input side has no frames: it is the command's standard input, and its end is the end of the stream.
 */
export const FRAME_STDOUT = 1;
export const FRAME_STDERR = 2;
export const FRAME_EXIT = 3;
export type FrameKind = typeof FRAME_STDOUT | typeof FRAME_STDERR | typeof FRAME_EXIT;

const HEADER_BYTES = 5;
/** A pipe holds 64 KiB, so one read never gives more than a few of those; a larger length is a broken stream. */
export const MAX_FRAME_BYTES = 1024 * 1024;

export function frameHeader(kind: FrameKind, length: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header[0] = kind;
  header.writeUInt32BE(length, 1);
  return header;
}

/** The last frame; `code` as wait(2) would give it, 128 + n for signal n. */
export function exitFrame(code: number): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + 4);
  frame[0] = FRAME_EXIT;
  frame.writeUInt32BE(4, 1);
  frame.writeInt32BE(code, HEADER_BYTES);
  return frame;
}

/** What a chunk of the stream says. Output may come in parts: a frame is passed on as it arrives, not once it is whole. */
export interface FrameListener {
  output(kind: typeof FRAME_STDOUT | typeof FRAME_STDERR, bytes: Buffer): void;
  exit(code: number): void;
}

/** Reads frames from chunks that end anywhere, without copying output. */
export class ExecFrameReader {
  readonly #listener: FrameListener;
  /** Header and exit code, as far as they have come. */
  readonly #head = Buffer.alloc(HEADER_BYTES + 4);
  #headFilled = 0;
  #outputLeft = 0;

  constructor(listener: FrameListener) {
    this.#listener = listener;
  }

  /** Takes the next chunk; false when the stream is broken and must not be read on. */
  push(chunk: Buffer): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#outputLeft > 0) {
        const bytes = chunk.subarray(at, at + this.#outputLeft);
        this.#outputLeft -= bytes.length;
        at += bytes.length;
        this.#listener.output(this.#head[0] === FRAME_STDOUT ? FRAME_STDOUT : FRAME_STDERR, bytes);
        continue;
      }
      const wanted = this.#headFilled >= HEADER_BYTES ? HEADER_BYTES + 4 : HEADER_BYTES;
      const taken = chunk.copy(this.#head, this.#headFilled, at, at + wanted - this.#headFilled);
      this.#headFilled += taken;
      at += taken;
      if (this.#headFilled === wanted && !this.#headComplete()) return false;
    }
    return true;
  }

  /** A header (or an exit code behind one) is whole; false if it makes no sense. */
  #headComplete(): boolean {
    const kind = this.#head[0];
    const length = this.#head.readUInt32BE(1);
    if (kind === FRAME_EXIT) {
      if (length !== 4) return false;
      if (this.#headFilled === HEADER_BYTES) return true;
      this.#headFilled = 0;
      this.#listener.exit(this.#head.readInt32BE(HEADER_BYTES));
      return true;
    }
    if ((kind !== FRAME_STDOUT && kind !== FRAME_STDERR) || length > MAX_FRAME_BYTES) return false;
    this.#headFilled = 0;
    this.#outputLeft = length;
    return true;
  }
}
