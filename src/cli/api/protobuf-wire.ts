/**
 * Protobuf's binary form (https://protobuf.dev/programming-guides/encoding), as much of it as messages that are written out
 * by hand need.
 */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** The fields of a message in their order. Throws on bytes that are none. */
export function* fieldsOf(bytes: Uint8Array): Generator<readonly [field: number, value: number | Uint8Array]> {
  const cursor = { at: 0 };
  while (cursor.at < bytes.length) {
    const tag = readVarint(bytes, cursor);
    const field = tag >>> 3;
    switch (tag & 7) {
      case VARINT:
        yield [field, readVarint(bytes, cursor)];
        break;
      case BYTES: {
        const length = readVarint(bytes, cursor);
        if (cursor.at + length > bytes.length) throw new Error("a message from the gateway is cut short");
        yield [field, bytes.subarray(cursor.at, cursor.at + length)];
        cursor.at += length;
        break;
      }
      case FIXED64:
        cursor.at += 8;
        break;
      case FIXED32:
        cursor.at += 4;
        break;
      default:
        throw new Error("a message from the gateway cannot be read");
    }
  }
}

/** The low 32 bits of a varint: every number in these messages fits, and a negative one is sign-extended beyond them. */
function readVarint(bytes: Uint8Array, cursor: { at: number }): number {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) throw new Error("a message from the gateway is cut short");
    if (shift < 32) value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value >>> 0;
  }
  throw new Error("a message from the gateway cannot be read");
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value >>> 0;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

export function bytesField(field: number, data: Uint8Array): Uint8Array {
  return Buffer.concat([varint((field << 3) | BYTES), varint(data.length), data]);
}

/** proto3 leaves out what equals the default. The two fields of a oneof that may be empty never are. */
export function textField(field: number, text: string): Uint8Array {
  return text === "" ? new Uint8Array(0) : bytesField(field, Buffer.from(text));
}

export function numberField(field: number, value: number): Uint8Array {
  return value === 0 ? new Uint8Array(0) : Buffer.concat([varint((field << 3) | VARINT), varint(value)]);
}
