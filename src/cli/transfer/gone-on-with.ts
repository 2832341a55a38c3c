/**
 * A copy that breaks off is gone on with when it is asked for again: by the same command, on the same machine, of the same
 * place to the same place.
 */
import { createHash } from "node:crypto";
import { sizeText } from "./progress.ts";

/** @param places what makes the copy this one. */
export function copyKey(...places: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(places)).digest("hex").slice(0, 16);
}

export function wentOnNote(bytes: number): string {
  return `note: ${sizeText(bytes)} had been copied already, and went on from there`;
}
