/**
 * Messages as lines of JSON on a byte stream: what a supervisor and a gateway on the same machine speak. Gives whole
 * messages from chunks that end anywhere; refuses a line longer than the limit, because its sender may not be friendly.
 */
const NEWLINE = 0x0a;

/** Collects chunks into lines and hands each, parsed, to `onMessage`. */
export class JsonLineReader {
  readonly #maxLineBytes: number;
  readonly #onMessage: (message: unknown) => void;
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  constructor(maxLineBytes: number, onMessage: (message: unknown) => void) {
    this.#maxLineBytes = maxLineBytes;
    this.#onMessage = onMessage;
  }

  /**
   * Takes the next chunk. Gives what is wrong with it, after which the stream cannot be read on, or undefined.
   * What `onMessage` throws passes through.
   */
  push(chunk: Buffer): string | undefined {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const wrong = this.#line(chunk.subarray(start, end));
      if (wrong !== undefined) return wrong;
      start = end + 1;
    }
    if (start < chunk.length) {
      this.#pending.push(start === 0 ? chunk : chunk.subarray(start));
      this.#pendingBytes += chunk.length - start;
    }
    return this.#pendingBytes > this.#maxLineBytes ? "line too long" : undefined;
  }

  /** The bytes of a line that has not ended yet; the reader forgets them. */
  takeRest(): Buffer {
    const rest = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    return rest;
  }

  #line(tail: Buffer): string | undefined {
    const line = this.#pendingBytes === 0 ? tail : Buffer.concat([this.takeRest(), tail]);
    if (line.length > this.#maxLineBytes) return "line too long";
    let message: unknown;
    try {
      message = JSON.parse(line.toString("utf8"));
    } catch {
      return "line is not JSON";
    }
    this.#onMessage(message);
    return undefined;
  }
}

/** A message as one line. JSON.stringify escapes line feeds, so the only one is the last byte. */
export function jsonLine(message: unknown): string {
  return `${JSON.stringify(message)}\n`;
}
