/**
 * What one end of a copy has of a file already, from a copy that broke off. The other end sends what comes after it, if its
 * own file begins with the same bytes: it compares digests, so that neither a file that was changed meanwhile nor one that
 * a crash has damaged is taken for what it was.
 */
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { entrySteps } from "./entry-path.ts";

export interface Offer {
  /** The file's name in the archive. */
  readonly path: string;
  /** How many there are of it, from its beginning; positive. */
  readonly bytes: number;
  /** Of these, in hex. */
  readonly sha256: string;
}

/** How an archive says of a file that its first bytes are not in it: a record of pax, as the other attributes are. */
export const HAVE = "OPENSHELL.have";

/** So many files are offered, which the other end remembers; of a copy with more, the others are sent again. */
export const MAX_OFFERS = 20_000;

/** A smaller file is sent in less than it takes to offer it. */
export const MIN_OFFERED_BYTES = 16 * 1024;

/** As much as is read from a file at once. */
const READ_BYTES = 1024 * 1024;

/** @returns undefined for what is none: to each end these are the other's words. */
export function readOffer(value: unknown): Offer | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { path, bytes, sha256 } = value as Partial<Offer>;
  if (typeof path !== "string" || !entrySteps(path)) return undefined;
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  return Number.isSafeInteger(bytes) && Number(bytes) > 0 ? { path, bytes: Number(bytes), sha256 } : undefined;
}

/** The digest of a file's first bytes, in hex; of fewer, if it has fewer. */
export async function digestOfStart(file: FileHandle, bytes: number): Promise<string> {
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafe(Math.min(READ_BYTES, bytes));
  for (let at = 0; at < bytes; ) {
    const { bytesRead } = await file.read(piece, 0, Math.min(piece.length, bytes - at), at);
    if (bytesRead === 0) break;
    hash.update(piece.subarray(0, bytesRead));
    at += bytesRead;
  }
  return hash.digest("hex");
}
