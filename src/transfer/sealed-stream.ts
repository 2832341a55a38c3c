/**
 * A byte stream that ends with the SHA-256 digest of what came before. Whoever opens it learns whether all of it arrived as
 * it was sent: a connection that broke, a program that was killed and a byte that changed all look the same, like no end.
 */
import { createHash } from "node:crypto";
import { TransferFailure } from "./transfer-failure.ts";

const DIGEST_BYTES = 32;

/** Small pieces are sent together, since each costs a message at every hop; init's frames hold eight times as much. */
const PIECE_BYTES = 128 * 1024;

/** @returns the bytes of `source` in larger pieces, with the digest behind them. */
export async function* seal(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  let pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of source) {
    hash.update(piece);
    pieces.push(piece);
    length += piece.length;
    if (length < PIECE_BYTES) continue;
    yield Buffer.concat(pieces);
    pieces = [];
    length = 0;
  }
  yield Buffer.concat([...pieces, hash.digest()]);
}

/** @returns the bytes without the digest. Throws TransferFailure at the end if they are not those that were sealed. */
export async function* unseal(sealed: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  let held: Buffer = Buffer.alloc(0);
  for await (const piece of sealed) {
    const bytes = Buffer.concat([held, piece]);
    const known = Math.max(0, bytes.length - DIGEST_BYTES);
    held = bytes.subarray(known);
    if (known === 0) continue;
    hash.update(bytes.subarray(0, known));
    yield bytes.subarray(0, known);
  }
  if (!hash.digest().equals(held)) {
    throw new TransferFailure("not everything arrived as it was sent; nothing was changed", "copy again");
  }
}
