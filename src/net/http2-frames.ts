/**
 * Frame headers of HTTP/2 (RFC 9113 section 4.1), read from a stream's bytes as they pass. Payloads are not looked at: it
 * says what kind of frames go by, for those that count them.
 */

/** What a client says first, on TLS and with prior knowledge alike (RFC 9113 section 3.4). */
export const connectionPreface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export interface FrameHeader {
  /** Of the payload, in bytes. */
  readonly length: number;
  /** One of `frameTypes`, or a type that is not known here. */
  readonly type: number;
  readonly streamId: number;
  /** Whether the sender says with it that the stream has nothing more. */
  readonly endsStream: boolean;
  /** Of an RST_STREAM: why. */
  readonly errorCode?: number;
}

const headerLength = 9;
/** The flag END_STREAM, which DATA and HEADERS have; other types give the bit other meanings. */
const endStreamFlag = 0x1;
/** An RST_STREAM's payload is its error code. */
const errorCodeLength = 4;

/** Finds the frame headers in one direction of a connection. Its memory is one header. */
export class FrameReader {
  /** Bytes to pass over before the next header. */
  #skip: number;
  readonly #head = Buffer.alloc(headerLength + errorCodeLength);
  #filled = 0;

  /** @param skip how many bytes come before the first frame: a client's side begins with the preface */
  constructor(skip: number) {
    this.#skip = skip;
  }

  /** Looks at the next bytes and tells of each frame whose header is complete. */
  read(bytes: Buffer, onFrame: (frame: FrameHeader) => void): void {
    let at = 0;
    while (at < bytes.length) {
      const passed = Math.min(this.#skip, bytes.length - at);
      this.#skip -= passed;
      at += passed;
      const taken = bytes.copy(this.#head, this.#filled, at, at + this.#wanted() - this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled >= headerLength && this.#filled === this.#wanted()) onFrame(this.#finish());
    }
  }

  /** How much of the frame is to be gathered, as far as that can be told from what is there. */
  #wanted(): number {
    if (this.#filled < headerLength || this.#head[3] !== frameTypes.rstStream) return headerLength;
    return headerLength + Math.min(errorCodeLength, this.#length());
  }

  #length(): number {
    return this.#head.readUIntBE(0, 3);
  }

  #finish(): FrameHeader {
    const length = this.#length();
    const payloadTaken = this.#filled - headerLength;
    this.#skip = length - payloadTaken;
    this.#filled = 0;
    const type = this.#head[3] ?? 0;
    const mayEnd = type === frameTypes.data || type === frameTypes.headers;
    const endsStream = mayEnd && ((this.#head[4] ?? 0) & endStreamFlag) !== 0;
    const frame = { length, type, streamId: this.#head.readUInt32BE(5) & 0x7fffffff, endsStream };
    return payloadTaken === errorCodeLength ? { ...frame, errorCode: this.#head.readUInt32BE(headerLength) } : frame;
  }
}
