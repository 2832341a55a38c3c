/** One frame of WebSocket (RFC 6455 section 5.2): its header, read strictly and written canonically, and the mask. */

export const opcodes = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

export type Opcode = (typeof opcodes)[keyof typeof opcodes];
export type ControlOpcode = typeof opcodes.close | typeof opcodes.ping | typeof opcodes.pong;

export interface FrameHeader {
  /** The last frame of its message. */
  readonly fin: boolean;
  readonly opcode: Opcode;
  /** Bytes of payload. */
  readonly length: number;
  /** The four bytes that the payload is masked with, from a client. */
  readonly mask?: Buffer;
}

export type FrameHeaderResult =
  | { readonly kind: "header"; readonly header: FrameHeader; readonly size: number }
  | { readonly kind: "incomplete" }
  | { readonly kind: "malformed"; readonly detail: string };

/** Bytes of payload that a control frame may have (section 5.5). */
export const maxControlPayload = 125;

const finBit = 0x80;
const reservedBits = 0x70;
const maskBit = 0x80;
const knownOpcodes: ReadonlySet<number> = new Set(Object.values(opcodes));
const incomplete: FrameHeaderResult = { kind: "incomplete" };

/** Reads the header at the start of `bytes`. A client must mask and a server must not (section 5.1). */
export function parseFrameHeader(bytes: Buffer, from: "client" | "server"): FrameHeaderResult {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return incomplete;
  // They belong to extensions, of which none was agreed on.
  if ((first & reservedBits) !== 0) return malformed("a reserved bit is set");
  const opcode = first & 0x0f;
  if (!isOpcode(opcode)) return malformed(`opcode ${opcode} is reserved`);
  const fin = (first & finBit) !== 0;
  const masked = (second & maskBit) !== 0;
  if (masked !== (from === "client")) return malformed(masked ? "a server's frame is masked" : "the mask is missing");
  const shortLength = second & 0x7f;
  if (isControl(opcode) && !fin) return malformed("a control frame is fragmented");
  if (isControl(opcode) && shortLength > maxControlPayload) return malformed("a control frame is too long");
  const lengthSize = shortLength < 126 ? 0 : shortLength === 126 ? 2 : 8;
  const size = 2 + lengthSize + (masked ? 4 : 0);
  if (bytes.length < size) return incomplete;
  const length = lengthSize === 0 ? shortLength : extendedLength(bytes, lengthSize);
  if (typeof length === "string") return malformed(length);
  const header = { fin, opcode, length };
  // A copy, since the bytes are reused for the payload.
  return {
    kind: "header",
    header: masked ? { ...header, mask: Buffer.from(bytes.subarray(size - 4, size)) } : header,
    size,
  };
}

/** Section 5.2: the minimal number of bytes must be used. Another program could take a longer form for something else. */
function extendedLength(bytes: Buffer, lengthSize: 2 | 8): number | string {
  if (lengthSize === 2) {
    const length = bytes.readUInt16BE(2);
    return length < 126 ? "a length is written longer than need be" : length;
  }
  const length = bytes.readBigUInt64BE(2);
  if (length < 0x10000n) return "a length is written longer than need be";
  return length > BigInt(Number.MAX_SAFE_INTEGER) ? "a frame is longer than anything can be" : Number(length);
}

/** The header's bytes, in the shortest form. */
export function serialiseFrameHeader({ fin, opcode, length, mask }: FrameHeader): Buffer {
  const lengthSize = length < 126 ? 0 : length < 0x10000 ? 2 : 8;
  const header = Buffer.alloc(2 + lengthSize + (mask === undefined ? 0 : 4));
  header[0] = (fin ? finBit : 0) | opcode;
  header[1] = (mask === undefined ? 0 : maskBit) | (lengthSize === 0 ? length : lengthSize === 2 ? 126 : 127);
  if (lengthSize === 2) header.writeUInt16BE(length, 2);
  if (lengthSize === 8) header.writeBigUInt64BE(BigInt(length), 2);
  mask?.copy(header, header.length - 4);
  return header;
}

/** Masks in place, or unmasks, which is the same. `offset` is where in the frame's payload the bytes begin. */
export function applyMask(bytes: Buffer, mask: Buffer, offset: number): void {
  const [a = 0, b = 0, c = 0, d = 0] = [0, 1, 2, 3].map((index) => mask[(offset + index) & 3]);
  const end = bytes.length - (bytes.length & 3);
  let at = 0;
  for (; at < end; at += 4) {
    bytes[at] = (bytes[at] ?? 0) ^ a;
    bytes[at + 1] = (bytes[at + 1] ?? 0) ^ b;
    bytes[at + 2] = (bytes[at + 2] ?? 0) ^ c;
    bytes[at + 3] = (bytes[at + 3] ?? 0) ^ d;
  }
  for (; at < bytes.length; at++) bytes[at] = (bytes[at] ?? 0) ^ (mask[(offset + at) & 3] ?? 0);
}

/** Whether frames of that kind stand between the frames of a message. */
export function isControl(opcode: number): opcode is ControlOpcode {
  return opcode >= opcodes.close;
}

function isOpcode(opcode: number): opcode is Opcode {
  return knownOpcodes.has(opcode);
}

function malformed(detail: string): FrameHeaderResult {
  return { kind: "malformed", detail };
}
