/** A caller who speaks HTTP/2, on one stream of its connection. */
import type { ServerHttp2Stream } from "node:http2";
import type { Dialect } from "../../../inference/dialects.ts";
import { writeBounded } from "../../../net/backpressure.ts";
import { type AnswerOptions, Caller, type HeaderList } from "./caller.ts";

export class Http2Caller extends Caller {
  readonly #stream: ServerHttp2Stream;
  readonly #isHead: boolean;

  constructor(stream: ServerHttp2Stream, dialect: Dialect, isHead: boolean) {
    super(dialect);
    this.#stream = stream;
    this.#isHead = isHead;
  }

  get isStreaming(): boolean {
    return this.#stream.headersSent;
  }

  async answer(status: number, body: string, { headers = [] }: AnswerOptions = {}): Promise<boolean> {
    if (this.#stream.closed) return false;
    const length = `${Buffer.byteLength(body)}`;
    const fields = this.#head(status, [["content-type", "application/json"], ["content-length", length], ...headers]);
    this.#stream.respond(fields, { endStream: this.#isHead });
    if (!this.#isHead) this.#stream.end(body);
    return true;
  }

  begin(status: number, headers: HeaderList): void {
    // Where trailers could follow, a stream that is closed before its end is reset without one.
    if (!this.#stream.closed) this.#stream.respond(this.#head(status, headers), { waitForTrailers: true });
  }

  /** Frames that are written in one turn leave together as it is. */
  joinTurn(): void {}

  piece(bytes: Buffer): true | Promise<boolean> {
    return bytes.length === 0 ? true : writeBounded(this.#stream, bytes);
  }

  end(): void {
    this.#stream.end();
  }

  /** Names and values in turn. */
  #head(status: number, headers: HeaderList): string[] {
    return [":status", `${status}`, ...headers.flatMap(([name, value]) => [name.toLowerCase(), value])];
  }
}
