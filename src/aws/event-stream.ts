/**
 * Messages of AWS's event streams (`application/vnd.amazon.eventstream`): lengths and their checksum, headers, payload, and
 * a checksum of all. Read out of pieces that are cut anywhere, and written.
 */
import { crc32 } from "node:zlib";

export interface AwsEvent {
  /** Text headers by name, such as `:message-type`; those of other types say nothing to us. */
  readonly headers: ReadonlyMap<string, string>;
  readonly payload: Buffer;
}

/** Two lengths and the checksum of both. */
const preludeBytes = 12;
const checksumBytes = 4;
/** AWS allows 16 MiB; a model's pieces are far smaller, and one that is not all there is copied with each that comes. */
const maxMessageBytes = 1024 * 1024;

const textHeader = 7;
/** How long the values of the other types of headers are; -1: their first two bytes say. */
const valueBytes: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 6: -1, 7: -1, 8: 8, 9: 16 };

export class AwsEventReader {
  #rest: Buffer = Buffer.alloc(0);
  #malformed: string | undefined;

  /** What is wrong with the stream; nothing is read any more then. */
  get malformed(): string | undefined {
    return this.#malformed;
  }

  /** Whether the stream stands between two messages, so that nothing of one is lost if it ends here. */
  get betweenEvents(): boolean {
    return this.#rest.length === 0 && this.#malformed === undefined;
  }

  /** Takes the next piece; gives the messages that it completes. */
  push(piece: Buffer): readonly AwsEvent[] {
    if (this.#malformed !== undefined) return [];
    let bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    const events: AwsEvent[] = [];
    while (bytes.length >= preludeBytes) {
      const total = messageBytes(bytes);
      if (total === undefined) return this.#stop(events, "lengths that can't be");
      if (bytes.length < total) break;
      const event = readMessage(bytes.subarray(0, total));
      if (event === undefined) return this.#stop(events, "a message that was damaged");
      events.push(event);
      bytes = bytes.subarray(total);
    }
    this.#rest = bytes;
    return events;
  }

  #stop(events: readonly AwsEvent[], why: string): readonly AwsEvent[] {
    this.#malformed = why;
    this.#rest = Buffer.alloc(0);
    return events;
  }
}

/** How long the message is that begins here; undefined if its prelude is none. */
function messageBytes(bytes: Buffer): number | undefined {
  const total = bytes.readUInt32BE(0);
  const headers = bytes.readUInt32BE(4);
  const fits = total <= maxMessageBytes && preludeBytes + headers + checksumBytes <= total;
  return fits && crc32(bytes.subarray(0, 8)) === bytes.readUInt32BE(8) ? total : undefined;
}

function readMessage(message: Buffer): AwsEvent | undefined {
  const end = message.length - checksumBytes;
  if (crc32(message.subarray(0, end)) !== message.readUInt32BE(end)) return undefined;
  const headersEnd = preludeBytes + message.readUInt32BE(4);
  const headers = readHeaders(message.subarray(preludeBytes, headersEnd));
  return headers && { headers, payload: message.subarray(headersEnd, end) };
}

function readHeaders(bytes: Buffer): ReadonlyMap<string, string> | undefined {
  const headers = new Map<string, string>();
  let at = 0;
  while (at < bytes.length) {
    const nameEnd = at + 1 + (bytes[at] ?? 0);
    const type = bytes[nameEnd] ?? -1;
    const fixed = valueBytes[type];
    if (fixed === undefined || (fixed === -1 && nameEnd + 3 > bytes.length)) return undefined;
    const valueFrom = fixed === -1 ? nameEnd + 3 : nameEnd + 1;
    const valueEnd = valueFrom + (fixed === -1 ? bytes.readUInt16BE(nameEnd + 1) : fixed);
    if (valueEnd > bytes.length) return undefined;
    if (type === textHeader)
      headers.set(bytes.toString("utf8", at + 1, nameEnd), bytes.toString("utf8", valueFrom, valueEnd));
    at = valueEnd;
  }
  return headers;
}

/** A message with these text headers. */
export function awsEvent(headers: Readonly<Record<string, string>>, payload: string | Buffer): Buffer {
  const head = Buffer.concat(Object.entries(headers).flatMap(([name, value]) => headerBytes(name, value)));
  const body = Buffer.from(payload);
  const message = Buffer.alloc(preludeBytes + head.length + body.length + checksumBytes);
  message.writeUInt32BE(message.length, 0);
  message.writeUInt32BE(head.length, 4);
  message.writeUInt32BE(crc32(message.subarray(0, 8)), 8);
  head.copy(message, preludeBytes);
  body.copy(message, preludeBytes + head.length);
  message.writeUInt32BE(crc32(message.subarray(0, -checksumBytes)), message.length - checksumBytes);
  return message;
}

function headerBytes(name: string, value: string): Buffer[] {
  const [key, text] = [Buffer.from(name), Buffer.from(value)];
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  return [Buffer.from([key.length]), key, Buffer.from([textHeader]), length, text];
}
