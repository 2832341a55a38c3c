/**
 * The caller's side of one call: answers whole or piece by piece, framed anew, so that an error event can follow whatever
 * the backend has sent.
 */
import type { Duplex } from "node:stream";
import type { Dialect } from "../../../inference/dialects.ts";
import { type CallError, errorAnswer, errorEvent } from "../../../inference/error-body.ts";
import { drained, writeBounded } from "../../../net/backpressure.ts";
import type { UnderstoodRequest } from "../08-inspect/http1/understand.ts";
import { statusPhrase } from "../refuse.ts";

export type HeaderList = readonly (readonly [name: string, value: string])[];

/** Where pieces go together into one write; larger ones are not copied. */
const joinedBytes = 16 * 1024;

export class Caller {
  readonly dialect: Dialect;
  readonly #stream: Duplex;
  readonly #request: Pick<UnderstoodRequest, "minor" | "close" | "facts">;
  #isStreaming = false;

  constructor(stream: Duplex, request: Pick<UnderstoodRequest, "minor" | "close" | "facts">, dialect: Dialect) {
    this.#stream = stream;
    this.#request = request;
    this.dialect = dialect;
  }

  /** Whether a part of an answer has been sent, so that no other can be. */
  get isStreaming(): boolean {
    return this.#isStreaming;
  }

  /** A whole JSON answer. `close` says that the connection ends with it. False: nobody takes it. */
  async answer(
    status: number,
    body: string,
    options: { readonly headers?: HeaderList; readonly close?: boolean } = {},
  ) {
    const length = Buffer.byteLength(body);
    const headers: HeaderList = [
      ["Content-Type", "application/json"],
      ["Content-Length", `${length}`],
      ...(options.headers ?? []),
    ];
    const head = this.#head(status, headers, options.close ?? false);
    const text =
      this.#request.facts.method === "HEAD" ? head : Buffer.concat([Buffer.from(head, "latin1"), Buffer.from(body)]);
    return writeBounded(this.#stream, text);
  }

  /** A failure, in the caller's dialect: as the answer, or as the last event of one that had begun. */
  async fail(error: CallError, options: { readonly headers?: HeaderList; readonly close: boolean }): Promise<void> {
    if (this.#isStreaming) {
      // No last chunk follows: who does not understand the event sees at least that the answer is not whole.
      await this.piece(errorEvent(this.dialect, error));
      return;
    }
    const { headers, body } = errorAnswer(this.dialect, error);
    await this.answer(error.status, body, { headers: [...headers, ...(options.headers ?? [])], close: options.close });
  }

  /** The head of an answer that comes in pieces; those that are there already leave with it. */
  begin(status: number, headers: HeaderList): void {
    this.#isStreaming = true;
    const framing: HeaderList = this.#request.minor === 1 ? [["Transfer-Encoding", "chunked"]] : [];
    this.joinTurn();
    this.#stream.write(this.#head(status, [...headers, ...framing], false), "latin1");
  }

  /**
   * What is written until the event loop turns leaves in one write: a second one would wait until the first is done, and
   * cost a system call and a TLS record of its own.
   */
  joinTurn(): void {
    this.#stream.cork();
    process.nextTick(() => this.#stream.uncork());
  }

  /** The next piece; waits while the caller has enough to read. False: nobody takes it any more. */
  piece(bytes: Buffer): true | Promise<boolean> {
    if (bytes.length === 0) return true;
    if (this.#request.minor === 0) return writeBounded(this.#stream, bytes);
    const size = `${bytes.length.toString(16)}\r\n`;
    if (bytes.length <= joinedBytes) return writeBounded(this.#stream, chunk(size, bytes));
    if (this.#stream.destroyed || this.#stream.writableEnded) return Promise.resolve(false);
    this.#stream.cork();
    this.#stream.write(size, "latin1");
    this.#stream.write(bytes);
    const hasRoom = this.#stream.write(lineEnd);
    this.#stream.uncork();
    return hasRoom ? true : drained(this.#stream);
  }

  /** The end of an answer that came in pieces. */
  end(): void {
    if (this.#request.minor === 1 && !this.#stream.destroyed) this.#stream.write("0\r\n\r\n", "latin1");
  }

  #head(status: number, headers: HeaderList, close: boolean): string {
    const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const connection = close || this.#request.close ? "Connection: close\r\n" : "";
    return `HTTP/1.1 ${status} ${statusPhrase(status)}\r\n${fields}${connection}\r\n`;
  }
}

const lineEnd = Buffer.from("\r\n");

/** In one buffer, so that it leaves in one write and one TLS record. */
function chunk(size: string, bytes: Buffer): Buffer {
  const whole = Buffer.allocUnsafe(size.length + bytes.length + lineEnd.length);
  whole.write(size, 0, "latin1");
  bytes.copy(whole, size.length);
  lineEnd.copy(whole, size.length + bytes.length);
  return whole;
}
