/** A message that is collected because it must be understood. Bytes are copied: a view of one keeps a whole piece alive. */
export class CollectedMessage {
  readonly #limit: number;
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False if the whole would be longer than the limit; then the piece is not added. */
  add(piece: Buffer): boolean {
    const length = this.#length + piece.length;
    if (length > this.#limit) return false;
    if (length > this.#bytes.length) this.#grow(length);
    piece.copy(this.#bytes, this.#length);
    this.#length = length;
    return true;
  }

  get whole(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** By doubling, so that a message in tiny fragments costs no more than one in large ones. */
  #grow(needed: number): void {
    const grown = Buffer.alloc(Math.min(this.#limit, Math.max(needed, 2 * this.#bytes.length)));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
