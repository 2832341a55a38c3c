/**
 * Messages on a stream of the Connect protocol: one byte of flags, four for the length, then the message
 * (https://connectrpc.com/docs/protocol#enveloped-message).
 */

const PREFIX_BYTES = 5;
const COMPRESSED = 0b01;
const END_OF_STREAM = 0b10;

/** A bigger message would be a defect or an attack: what the API sends in one piece is far smaller. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

export interface Envelope {
  /** The last one of a stream: it holds how the call ended, as JSON, and no message. */
  readonly isEnd: boolean;
  readonly bytes: Uint8Array;
}

export function envelope(message: Uint8Array): Buffer {
  return framed(0, message);
}

/** The envelope after which nothing follows. */
export function endEnvelope(): Buffer {
  return framed(END_OF_STREAM, new Uint8Array(0));
}

function framed(flags: number, message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  bytes[0] = flags;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}

/** Puts envelopes together from the chunks of a stream. Throws on what nobody here asks for (compression). */
export class EnvelopeReader {
  private rest: Buffer = Buffer.alloc(0);

  /** @returns the envelopes that this chunk completes; they may share the chunk's memory. */
  push(chunk: Buffer): Envelope[] {
    let bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const complete: Envelope[] = [];
    while (bytes.length >= PREFIX_BYTES) {
      const flags = bytes[0] ?? 0;
      if ((flags & COMPRESSED) !== 0) throw new Error("the peer sent a compressed message");
      const length = bytes.readUInt32BE(1);
      if (length > MAX_MESSAGE_BYTES) throw new Error(`the peer sent a message of ${length} bytes`);
      if (bytes.length < PREFIX_BYTES + length) break;
      const message = bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + length);
      complete.push({ isEnd: (flags & END_OF_STREAM) !== 0, bytes: message });
      bytes = bytes.subarray(PREFIX_BYTES + length);
    }
    this.rest = bytes;
    return complete;
  }
}
