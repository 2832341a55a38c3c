/** SFTP version 3 as bytes: draft-ietf-secsh-filexfer-02, and OpenSSH's PROTOCOL (section 4) for what it adds. */

/** Packet types that clients send. */
export const request = {
  init: 1,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  realpath: 16,
  stat: 17,
  rename: 18,
  readlink: 19,
  symlink: 20,
  extended: 200,
} as const;

/** Packet types of answers. */
export const answer = {
  version: 2,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attributes: 105,
  extendedReply: 201,
} as const;

/** Codes of a status. */
export const status = {
  ok: 0,
  endOfFile: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  unsupported: 8,
} as const;

export const VERSION = 3;

/** OpenSSH's own bound on a packet. A client that sends a longer one has lost its place, or means harm. */
export const MAX_PACKET_BYTES = 256 * 1024;
/** Room for what stands around data in a packet. */
const AROUND_DATA_BYTES = 1024;
/** Of a file's bytes in one packet. */
export const MAX_DATA_BYTES = MAX_PACKET_BYTES - AROUND_DATA_BYTES;

/** The client's bytes make no sense; nothing after them can be trusted to. */
export class ProtocolError extends Error {}

/** Cuts a byte stream into packets, without their lengths. */
export class PacketReader {
  #pending: Buffer = Buffer.alloc(0);

  /** Takes the next bytes and gives the packets that are whole with them. Throws ProtocolError. */
  push(bytes: Buffer): Buffer[] {
    const input = this.#pending.length > 0 ? Buffer.concat([this.#pending, bytes]) : bytes;
    const packets: Buffer[] = [];
    let at = 0;
    while (input.length - at >= 4) {
      const length = input.readUInt32BE(at);
      if (length === 0 || length > MAX_PACKET_BYTES) throw new ProtocolError(`a packet of ${length} bytes`);
      if (input.length - at - 4 < length) break;
      packets.push(input.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    this.#pending = input.subarray(at);
    return packets;
  }
}

/** Reads a packet's fields in their order. Each throws ProtocolError where the packet ends too early. */
export class Fields {
  readonly #packet: Buffer;
  #at = 0;

  constructor(packet: Buffer) {
    this.#packet = packet;
  }

  byte(): number {
    return this.#take(1).readUInt8();
  }

  uint32(): number {
    return this.#take(4).readUInt32BE();
  }

  /** Files have no more bytes than a number can tell exactly. */
  uint64(): number {
    const value = this.#take(8).readBigUInt64BE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ProtocolError("a number beyond any file's size");
    return Number(value);
  }

  bytes(): Buffer {
    return this.#take(this.uint32());
  }

  /** A name: bytes that a file system takes as they are, since it knows of no encoding. */
  path(): Buffer {
    const path = this.bytes();
    if (path.includes(0)) throw new ProtocolError("a name with a NUL");
    // The draft: an empty path is the directory in which a session starts.
    return path.length === 0 ? Buffer.from(".") : path;
  }

  text(): string {
    return this.bytes().toString("latin1");
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#packet.length) throw new ProtocolError("a packet that ends too early");
    const taken = this.#packet.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

export function byte(value: number): Buffer {
  return Buffer.from([value]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export function uint64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)));
  return bytes;
}

/** A string: its length, then its bytes. */
export function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** A whole packet: its length, its type, its fields. */
export function packet(type: number, ...fields: readonly Buffer[]): Buffer {
  const length = fields.reduce((sum, field) => sum + field.length, 1);
  return Buffer.concat([uint32(length), byte(type), ...fields]);
}
