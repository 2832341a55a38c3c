/**
 * A log line as the stores keep it: the bytes of its protobuf message. Written by hand, because this is done for every request of
 * every sandbox, and the library's way by reflection takes more time than storing the line does.
 */
import type { SandboxLogLine } from "../../gen/openshell/v1/watch_pb.ts";

/** Wire types; see https://protobuf.dev/programming-guides/encoding/. */
const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** The longest varint of 64 bits. */
const MAX_VARINT_BYTES = 10;
/** A varint and a tag for each field, and for a map's entry and both of its halves; tags take two bytes at most. */
const MAX_HEAD_BYTES = MAX_VARINT_BYTES + 2;
const FIELDS = 8;
const HEADS_OF_ENTRY = 3;
/** Of UTF-8, for one unit of a string. */
const MAX_BYTES_OF_UNIT = 3;

/** What `toBinary` of the message gives, without fields that this version does not know. */
export function logLineBytes(line: SandboxLogLine): Buffer {
  const writer = new Writer(maxBytes(line));
  writer.string(1, line.sandboxId);
  writer.integer(2, line.timestampMs);
  writer.string(3, line.level);
  writer.string(4, line.target);
  writer.string(5, line.message);
  writer.string(6, line.source);
  for (const [key, value] of Object.entries(line.fields)) writer.entry(7, key, value);
  writer.integer(100, line.sequence);
  return writer.bytes();
}

function maxBytes({ sandboxId, level, target, message, source, fields }: SandboxLogLine): number {
  let units = sandboxId.length + level.length + target.length + message.length + source.length;
  let heads = FIELDS;
  for (const [key, value] of Object.entries(fields)) {
    units += key.length + value.length;
    heads += HEADS_OF_ENTRY;
  }
  return units * MAX_BYTES_OF_UNIT + heads * MAX_HEAD_BYTES;
}

/**
 * Where all but very long lines are written, one after the other: a buffer of each line's largest possible size would be memory
 * outside of V8's heap, and enough of that makes V8 look through its whole heap again and again.
 */
const room = Buffer.allocUnsafeSlow(64 * 1024);

class Writer {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(maxBytes: number) {
    this.#buffer = maxBytes <= room.length ? room : Buffer.allocUnsafe(maxBytes);
  }

  bytes(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#at));
  }

  /** Nothing for the empty string: it is what a field is that is not there. */
  string(field: number, value: string): void {
    if (value !== "") this.#text(field, value);
  }

  /** Nothing for zero. */
  integer(field: number, value: bigint): void {
    if (value === 0n) return;
    this.#tag(field, VARINT);
    this.#varint(value);
  }

  /** An entry of a map of strings, which has both of its halves also where they are empty. */
  entry(field: number, key: string, value: string): void {
    this.#tag(field, LENGTH_DELIMITED);
    this.#length(textSize(key) + textSize(value));
    this.#text(1, key);
    this.#text(2, value);
  }

  #text(field: number, value: string): void {
    this.#tag(field, LENGTH_DELIMITED);
    this.#length(Buffer.byteLength(value));
    this.#at += this.#buffer.write(value, this.#at);
  }

  #tag(field: number, wireType: number): void {
    this.#length(field * 8 + wireType);
  }

  #length(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#buffer[this.#at++] = (rest % 0x80) + 0x80;
    this.#buffer[this.#at++] = rest;
  }

  #varint(value: bigint): void {
    if (value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER)) return this.#length(Number(value));
    let rest = BigInt.asUintN(64, value);
    for (; rest >= 0x80n; rest >>= 7n) this.#buffer[this.#at++] = Number(rest & 0x7fn) + 0x80;
    this.#buffer[this.#at++] = Number(rest);
  }
}

/** Of a half of an entry, with its tag of one byte and its length. */
function textSize(value: string): number {
  const bytes = Buffer.byteLength(value);
  let size = 2 + bytes;
  for (let rest = bytes; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}
