/** Whether two files are the same for whoever uses them: type, permissions and contents. */
import type { FileHandle } from "node:fs/promises";
import type { FileState } from "./file-state.ts";

const PERMISSIONS = 0o777;
const PIECE_BYTES = 256 * 1024;

/** What two of the same size have in them is compared by whoever can open them. */
export function looksTheSame(before: FileState, after: FileState): boolean {
  if (before.kind !== after.kind) return false;
  if (before.kind === "link") return before.linkTarget === after.linkTarget;
  return ((before.mode ^ after.mode) & PERMISSIONS) === 0 && before.size === after.size;
}

export async function sameBytes(one: FileHandle, other: FileHandle): Promise<boolean> {
  const [first, second] = [Buffer.allocUnsafe(PIECE_BYTES), Buffer.allocUnsafe(PIECE_BYTES)];
  for (let at = 0; ; ) {
    const length = await fill(one, first, at);
    if (length !== (await fill(other, second, at))) return false;
    if (!first.subarray(0, length).equals(second.subarray(0, length))) return false;
    if (length < PIECE_BYTES) return true;
    at += length;
  }
}

/** Reads until the piece is full or the file ends. */
async function fill(file: FileHandle, piece: Buffer, position: number): Promise<number> {
  let length = 0;
  while (length < piece.length) {
    const { bytesRead } = await file.read(piece, length, piece.length - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}
