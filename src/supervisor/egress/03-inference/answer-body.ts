/** An answer's contents, piece by piece as they come, without their framing. */
import type { ByteReader } from "../../../net/byte-reader.ts";
import { BodyFollower } from "../../../net/http1-body.ts";
import type { Framing } from "../../../net/http1-framing.ts";

export type AnswerPiece =
  /** `isLast`: the end is known already. */
  | { readonly kind: "piece"; readonly bytes: Buffer; readonly isLast: boolean }
  | { readonly kind: "end" }
  /** The rest is missing. */
  | { readonly kind: "broken"; readonly detail: string; readonly timedOut: boolean };

/** What is read of an answer: as the backend sent it, or as another step makes it of that. */
export interface AnswerPieces {
  /** The next piece, all that has arrived of it. */
  next(idleMs: number): Promise<AnswerPiece>;
  /** All of it, if it is no longer than so many bytes. */
  whole(maxBytes: number, idleMs: number): Promise<Buffer | undefined>;
  /** Reads no more of it; the backend hears so by the end of its connection. */
  discard(): void;
}

export class AnswerBody implements AnswerPieces {
  readonly #reader: ByteReader;
  readonly #follower: BodyFollower;
  readonly #onEnd: (isWhole: boolean) => void;
  #pieces: Buffer[] = [];
  #isOver = false;

  /** @param onEnd called once: when the body has been read to its end, or will not be */
  constructor(reader: ByteReader, framing: Framing, onEnd: (isWhole: boolean) => void) {
    this.#reader = reader;
    this.#follower = new BodyFollower(framing, (payload) => this.#pieces.push(payload));
    this.#onEnd = onEnd;
  }

  async next(idleMs: number): Promise<AnswerPiece> {
    for (;;) {
      if (this.#reader.bytes.length > 0 && !this.#follower.ended) {
        const progress = this.#follower.advance(this.#reader.bytes);
        if (progress.kind === "malformed") return this.#broken(`the backend's answer has ${progress.detail}`);
        this.#reader.take(progress.taken);
      }
      if (this.#pieces.length > 0) return { kind: "piece", bytes: this.#takePieces(), isLast: this.#follower.ended };
      if (this.#follower.ended) return this.#end();
      const filled = await this.#reader.fill(idleMs);
      if (filled === "end" && this.#follower.endsWithConnection) return this.#end();
      if (filled === "timeout") return this.#broken("the backend fell silent in the middle of its answer", true);
      if (filled !== "data") return this.#broken("the backend broke its answer off");
    }
  }

  whole(maxBytes: number, idleMs: number): Promise<Buffer | undefined> {
    return wholeOf(this, maxBytes, idleMs);
  }

  discard(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onEnd(false);
  }

  #takePieces(): Buffer {
    const [first, ...others] = this.#pieces;
    this.#pieces = [];
    return first !== undefined && others.length === 0 ? first : Buffer.concat(first ? [first, ...others] : others);
  }

  #end(): AnswerPiece {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#onEnd(true);
    }
    return { kind: "end" };
  }

  #broken(detail: string, timedOut = false): AnswerPiece {
    this.discard();
    return { kind: "broken", detail, timedOut };
  }
}

/** Reads to the end; undefined for what breaks off or is too long. */
export async function wholeOf(body: AnswerPieces, maxBytes: number, idleMs: number): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let length = 0;
  for (;;) {
    const next = await body.next(idleMs);
    if (next.kind === "end") return Buffer.concat(pieces);
    if (next.kind === "piece") {
      length += next.bytes.length;
      pieces.push(next.bytes);
    }
    if (next.kind === "broken" || length > maxBytes) {
      body.discard();
      return undefined;
    }
  }
}
