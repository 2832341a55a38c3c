/**
 * What two ends of a resumable stream say to each other on a path (docs/api.md): frames of one byte type, four bytes
 * length, eight bytes offset (both big endian), then as many bytes as the length says.
 *
 * Offsets count the bytes of one direction from its beginning; the end of the direction counts as one more, so that it is
 * acknowledged like a byte.
 */
const HEADER_BYTES = 13;
const DATA = 1;
const END = 2;
const ACK = 3;
const CLOSE = 4;

/** A sentence for people, never more. */
const MAX_REASON_BYTES = 1024;
const TWO_TO_32 = 2 ** 32;

/** Some bytes of the stream; follow the header with exactly `length` bytes. */
export function dataHeader(offset: number, length: number): Buffer {
  return header(DATA, offset, length);
}

/** Nothing follows in this direction. */
export function endFrame(offset: number): Buffer {
  return header(END, offset, 0);
}

/** Everything before `offset` has been taken: the other end may forget it, and send as much more. */
export function ackFrame(offset: number): Buffer {
  return header(ACK, offset, 0);
}

/** The stream is given up, in both directions and for good. */
export function closeFrame(reason: string): Buffer {
  const text = Buffer.from(reason).subarray(0, MAX_REASON_BYTES);
  return Buffer.concat([header(CLOSE, 0, text.length), text]);
}

function header(type: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES);
  bytes[0] = type;
  bytes.writeUInt32BE(length, 1);
  bytes.writeUInt32BE(Math.floor(offset / TWO_TO_32), 5);
  bytes.writeUInt32BE(offset % TWO_TO_32, 9);
  return bytes;
}

export interface RelayFrameListener {
  /** Part of a data frame at the least: bytes are passed on as they arrive. */
  data(offset: number, bytes: Buffer): void;
  end(offset: number): void;
  ack(offset: number): void;
  close(reason: string): void;
}

/** Reads frames from chunks that end anywhere, without copying data. */
export class RelayFrameReader {
  readonly #listener: RelayFrameListener;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerFilled = 0;
  /** Where the rest of the frame's bytes belongs, and how many they are. */
  #offset = 0;
  #left = 0;
  #reason: Buffer[] = [];

  constructor(listener: RelayFrameListener) {
    this.#listener = listener;
  }

  /** Takes the next chunk; false when it makes no sense, and nothing of this path must be read on. */
  push(chunk: Buffer): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const bytes = chunk.subarray(at, at + this.#left);
        at += bytes.length;
        this.#take(bytes);
        continue;
      }
      const taken = chunk.copy(this.#header, this.#headerFilled, at);
      this.#headerFilled += taken;
      at += taken;
      if (this.#headerFilled < HEADER_BYTES) return true;
      this.#headerFilled = 0;
      if (!this.#headerComplete()) return false;
    }
    return true;
  }

  #headerComplete(): boolean {
    const length = this.#header.readUInt32BE(1);
    this.#offset = this.#header.readUInt32BE(5) * TWO_TO_32 + this.#header.readUInt32BE(9);
    if (!Number.isSafeInteger(this.#offset + length)) return false;
    switch (this.#header[0]) {
      case DATA:
        this.#left = length;
        return length > 0;
      case CLOSE:
        if (length === 0) this.#listener.close("");
        this.#left = length;
        return length <= MAX_REASON_BYTES;
      case END:
        this.#listener.end(this.#offset);
        return length === 0;
      case ACK:
        this.#listener.ack(this.#offset);
        return length === 0;
      default:
        return false;
    }
  }

  #take(bytes: Buffer): void {
    const offset = this.#offset;
    this.#offset += bytes.length;
    this.#left -= bytes.length;
    if (this.#header[0] === DATA) return this.#listener.data(offset, bytes);
    this.#reason.push(Buffer.from(bytes));
    if (this.#left > 0) return;
    this.#listener.close(Buffer.concat(this.#reason).toString());
    this.#reason = [];
  }
}
