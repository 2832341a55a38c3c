/** Which host uids a gateway may give to sandboxes, one each, so that sandboxes are strangers to one another. */
import { readFileSync } from "node:fs";

/** Above what distributions give to people and services; what is free of subordinate ids differs by machine. */
const FIRST_UID = 200_001;
/** More sandboxes than one machine runs. */
const COUNT = 20_000;

/**
 * Chooses uids, or gives undefined where the gateway cannot: it is not root, or is root only of a user namespace into
 * which the range is not mapped.
 */
export function hostUidChooser(): ((used: ReadonlySet<number>) => number) | undefined {
  if (process.geteuid?.() !== 0 || !isMapped(readFileSync("/proc/self/uid_map", "utf8"))) return undefined;
  let next = FIRST_UID;
  return (used) => {
    // In turn, not the lowest free one: a uid rests for as long as possible before another sandbox has it.
    for (let tried = 0; tried < COUNT; tried += 1) {
      const uid = next;
      next = uid + 1 === FIRST_UID + COUNT ? FIRST_UID : uid + 1;
      if (!used.has(uid)) return uid;
    }
    throw new Error(`all ${COUNT} host uids for sandboxes are taken`);
  };
}

/** Whether one line of user_namespaces(7)'s uid_map (inside, outside, length) covers the whole range. */
export function isMapped(uidMap: string): boolean {
  return uidMap
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .some(([inside = 0, , length = 0]) => inside <= FIRST_UID && inside + length >= FIRST_UID + COUNT);
}
