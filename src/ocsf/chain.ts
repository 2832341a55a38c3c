/**
 * The chain of a log's lines: each tells the SHA-256 of the line before it, so that a line that was removed, changed, put in
 * or moved is seen by whoever has the lines around it. What it can't tell is that the newest lines are missing: for that,
 * one has to know of a newer line from elsewhere.
 */
import { hash } from "node:crypto";
import type { OcsfEvent } from "./ocsf-event.ts";

/** The tag, among `metadata.tags`, that holds it: 64 hexadecimal digits. */
export const PREVIOUS_HASH = "previous_hash";

/** What the line after this one is to tell of it. `line` is without its line break. */
export function lineHash(line: string): string {
  return hash("sha256", line);
}

/** A line and where it stands, as it is shown to people. */
export interface PlacedLine {
  readonly line: string;
  readonly place: string;
}

export type ChainReport =
  | { readonly ok: true; readonly checked: number; readonly first?: number; readonly last?: number }
  /** Where the chain breaks first, and how. */
  | { readonly ok: false; readonly place: string; readonly problem: string };

/** Follows lines in the order of a log. Those in front of the first one are not known, and not judged. */
export function verifyChain(lines: Iterable<PlacedLine>): ChainReport {
  let before: (Link & { readonly hash: string }) | undefined;
  let checked = 0;
  let first: number | undefined;
  for (const { line, place } of lines) {
    const link = linkOf(line);
    if (link === undefined) return { ok: false, place, problem: "is no event of a log" };
    const problem = before && breakBetween(before, link);
    if (problem !== undefined) return { ok: false, place, problem };
    before = { ...link, hash: lineHash(line) };
    first ??= link.sequence;
    checked += 1;
  }
  return { ok: true, checked, ...(first !== undefined && { first }), ...(before && { last: before.sequence }) };
}

/** What a line tells of its place in the log. */
export interface Link {
  readonly sequence: number;
  readonly previousHash: string | undefined;
}

/** Undefined for a line that is no event of a log. */
export function linkOf(line: string): Link | undefined {
  try {
    const { sequence, tags } = (JSON.parse(line) as OcsfEvent).metadata;
    if (sequence === undefined || !Number.isSafeInteger(sequence)) return undefined;
    return { sequence, previousHash: tags?.find(({ name }) => name === PREVIOUS_HASH)?.value };
  } catch {
    return undefined;
  }
}

function breakBetween(before: Link & { readonly hash: string }, { sequence, previousHash }: Link): string | undefined {
  if (previousHash === before.hash) return undefined;
  // Lines of a version that had no chain, in front of the first one that has.
  if (previousHash === undefined && before.previousHash === undefined && sequence > before.sequence) return undefined;
  if (sequence <= before.sequence) return `event ${sequence} stands behind event ${before.sequence}`;
  if (sequence > before.sequence + 1)
    return `between events ${before.sequence} and ${sequence}, lines were removed or changed`;
  return `event ${sequence} follows another event ${before.sequence} than the one that is here: one of the two was changed`;
}
