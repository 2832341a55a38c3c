/** What has been sent and may have to be sent again: the bytes of one direction that are not acknowledged. */

/** Pieces are joined up to this size: a million single bytes must not be a million objects. */
const PIECE_BYTES = 16 * 1024;

export class ReplayBuffer {
  #pieces: Buffer[] = [];
  #start = 0;
  #end = 0;

  /** The offset behind the last byte. */
  get end(): number {
    return this.#end;
  }

  /** How many bytes are kept. */
  get length(): number {
    return this.#end - this.#start;
  }

  append(bytes: Buffer): void {
    const last = this.#pieces.at(-1);
    if (last !== undefined && last.length + bytes.length <= PIECE_BYTES) {
      this.#pieces[this.#pieces.length - 1] = Buffer.concat([last, bytes]);
    } else {
      // A small one may be part of a large buffer, which it would keep in memory.
      this.#pieces.push(bytes.length <= PIECE_BYTES ? Buffer.from(bytes) : bytes);
    }
    this.#end += bytes.length;
  }

  /** Forgets everything before `offset`; false if that is not an offset of what is kept. */
  acknowledge(offset: number): boolean {
    if (offset < this.#start || offset > this.#end) return false;
    let surplus = offset - this.#start;
    this.#start = offset;
    for (let first = this.#pieces[0]; first !== undefined && surplus > 0; first = this.#pieces[0]) {
      if (first.length > surplus) {
        this.#pieces[0] = first.subarray(surplus);
        return true;
      }
      surplus -= first.length;
      this.#pieces.shift();
    }
    return true;
  }

  /** What is kept, in order. */
  pieces(): readonly Buffer[] {
    return this.#pieces;
  }

  clear(): void {
    this.#pieces = [];
    this.#start = this.#end;
  }
}
