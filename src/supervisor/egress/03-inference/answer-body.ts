/** An answer's contents, piece by piece as they come, without their framing. */
import type { ByteReader, FillResult } from "../../../net/byte-reader.ts";
import { BodyFollower } from "../../../net/http1-body.ts";
import type { Framing } from "../../../net/http1-framing.ts";

/** How reading ended. */
export type AnswerEnd =
  | { readonly kind: "whole" }
  /** The rest is missing. */
  | { readonly kind: "broken"; readonly detail: string; readonly timedOut: boolean }
  /** Whoever took the pieces takes no more. */
  | { readonly kind: "left" };

/** Takes a piece, all that has arrived; `isLast`: the end is known already. Promises an answer when there is room again. */
export type TakePiece = (bytes: Buffer, isLast: boolean) => true | Promise<boolean>;

/** What is read of an answer: as the backend sent it, or as another step makes it of that. */
export interface AnswerPieces {
  /** Gives all pieces in order, each at once when it comes: an event must not wait for promises. */
  each(idleMs: number, take: TakePiece): Promise<AnswerEnd>;
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

  each(idleMs: number, take: TakePiece): Promise<AnswerEnd> {
    const { promise, resolve, reject } = Promise.withResolvers<AnswerEnd>();
    const leave = (): void => {
      this.discard();
      resolve({ kind: "left" });
    };
    // No loop that awaits: a piece is given away in the callback that has read it.
    const go = (filled: FillResult): void => {
      try {
        for (let next: FillResult | undefined = filled; next !== undefined; next = this.#reader.fillThen(idleMs, go)) {
          if (next !== "data") return resolve(this.#cutShort(next));
          const given = this.#give(take);
          if (given instanceof Promise) return void given.then((hasRoom) => (hasRoom ? go("data") : leave()), reject);
          if (given !== undefined) return resolve(given);
        }
      } catch (error) {
        reject(error);
      }
    };
    go("data");
    return promise;
  }

  discard(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onEnd(false);
  }

  /** Gives away what has arrived. Undefined: more is welcome. */
  #give(take: TakePiece): AnswerEnd | Promise<boolean> | undefined {
    if (this.#reader.bytes.length > 0 && !this.#follower.ended) {
      const progress = this.#follower.advance(this.#reader.bytes);
      if (progress.kind === "malformed") return this.#broken(`the backend's answer has ${progress.detail}`);
      this.#reader.take(progress.taken);
    }
    const taken = this.#pieces.length === 0 ? true : take(this.#takePieces(), this.#follower.ended);
    if (taken !== true) return taken;
    return this.#follower.ended ? this.#end() : undefined;
  }

  #takePieces(): Buffer {
    const [first, ...others] = this.#pieces;
    this.#pieces = [];
    return first !== undefined && others.length === 0 ? first : Buffer.concat(first ? [first, ...others] : others);
  }

  #cutShort(filled: FillResult): AnswerEnd {
    if (filled === "end" && this.#follower.endsWithConnection) return this.#end();
    if (filled === "timeout") return this.#broken("the backend fell silent in the middle of its answer", true);
    return this.#broken("the backend broke its answer off");
  }

  #end(): AnswerEnd {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#onEnd(true);
    }
    return { kind: "whole" };
  }

  #broken(detail: string, timedOut = false): AnswerEnd {
    this.discard();
    return { kind: "broken", detail, timedOut };
  }
}

/** The whole; undefined for what breaks off or is longer than so many bytes. */
export async function wholeOf(body: AnswerPieces, maxBytes: number, idleMs: number): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let length = 0;
  const end = await body.each(idleMs, (bytes) => {
    length += bytes.length;
    pieces.push(bytes);
    return length <= maxBytes || Promise.resolve(false);
  });
  return end.kind === "whole" ? Buffer.concat(pieces) : undefined;
}
