/** A caller who speaks HTTP/1.1: what it is told is framed anew, so that an error event can follow what the backend has sent. */
import type { Duplex } from "node:stream";
import type { Dialect } from "../../../inference/dialects.ts";
import { drained, writeBounded } from "../../../net/backpressure.ts";
import type { UnderstoodRequest } from "../08-inspect/http1/understand.ts";
import { statusPhrase } from "../refuse.ts";
import { type AnswerOptions, Caller, type HeaderList } from "./caller.ts";

/** Where pieces go together into one write; larger ones are not copied. */
const joinedBytes = 16 * 1024;

export class Http1Caller extends Caller {
  readonly #stream: Duplex;
  readonly #request: Pick<UnderstoodRequest, "minor" | "close" | "facts">;
  #isStreaming = false;

  constructor(stream: Duplex, request: Pick<UnderstoodRequest, "minor" | "close" | "facts">, dialect: Dialect) {
    super(dialect);
    this.#stream = stream;
    this.#request = request;
  }

  get isStreaming(): boolean {
    return this.#isStreaming;
  }

  async answer(status: number, body: string, options: AnswerOptions = {}): Promise<boolean> {
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

  begin(status: number, headers: HeaderList): void {
    this.#isStreaming = true;
    const framing: HeaderList = this.#request.minor === 1 ? [["Transfer-Encoding", "chunked"]] : [];
    this.joinTurn();
    this.#stream.write(this.#head(status, [...headers, ...framing], false), "latin1");
  }

  /** A second write would wait until the first is done, and cost a system call and a TLS record of its own. */
  joinTurn(): void {
    this.#stream.cork();
    process.nextTick(() => this.#stream.uncork());
  }

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
