/**
 * Which host uids are sandboxes', one each, so that sandboxes are strangers to one another. The book of them is one for
 * the machine, not for the gateway: two gateways that gave the same uid to two sandboxes would let them meet, and the
 * deletion of one would kill the other.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Above what distributions give to people and services. */
const FIRST_UID = 200_001;
/** More sandboxes than one machine has. */
const COUNT = 20_000;
/** Two gateways that take a uid at the same moment: the second waits. */
const BUSY_TIMEOUT_MS = 5_000;

export const HOST_UIDS_PATH = "/var/lib/openshell/host-uids.db";

export interface HostUids {
  /** A uid that no other sandbox on this machine has. `directory` is the sandbox's and exists: without it, it is stale. */
  take(directory: string): number;
  /** The directory of the sandbox that a uid was given to. */
  holder(uid: number): string | undefined;
  /** Enters a uid that a sandbox has, in case the book was lost; changes nothing when it is in there. */
  keep(uid: number, directory: string): void;
  release(uid: number): void;
}

/** Whether this process may give uids away: it is root, and not only of a user namespace without the range. */
export function canUseHostUids(): boolean {
  return process.geteuid?.() === 0 && isMapped(readFileSync("/proc/self/uid_map", "utf8"));
}

/** Opens the book at `path`. */
export function openHostUids(path: string): HostUids {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  database.exec("CREATE TABLE IF NOT EXISTS uids (uid INTEGER PRIMARY KEY, directory TEXT NOT NULL) STRICT");
  const last = database.prepare("SELECT max(uid) AS uid FROM uids");
  const ofUid = database.prepare("SELECT directory FROM uids WHERE uid = ?");
  const holder = (uid: number): string | undefined => ofUid.get(uid)?.["directory"]?.toString();
  const insert = database.prepare("INSERT OR REPLACE INTO uids VALUES (?, ?)");
  const enter = database.prepare("INSERT OR IGNORE INTO uids VALUES (?, ?)");
  const remove = database.prepare("DELETE FROM uids WHERE uid = ?");
  const isFree = (uid: number) => {
    const directory = holder(uid);
    return directory === undefined || !existsSync(directory);
  };

  return {
    take(directory) {
      database.exec("BEGIN IMMEDIATE");
      try {
        const after = Number(last.get()?.["uid"] ?? FIRST_UID - 1);
        const uid = firstFree(after, isFree);
        insert.run(uid, directory);
        return uid;
      } finally {
        database.exec("COMMIT");
      }
    },
    holder,
    keep: (uid, directory) => void enter.run(uid, directory),
    release: (uid) => void remove.run(uid),
  };
}

/** Going round from the one after `after`, so that a uid rests before another sandbox has it. */
function firstFree(after: number, isFree: (uid: number) => boolean): number {
  for (let step = 0; step < COUNT; step += 1) {
    const uid = FIRST_UID + ((after + 1 - FIRST_UID + step) % COUNT);
    if (isFree(uid)) return uid;
  }
  throw new Error(`all ${COUNT} host uids for sandboxes are taken`);
}

/** Whether one line of user_namespaces(7)'s uid_map (inside, outside, length) covers the whole range. */
export function isMapped(uidMap: string): boolean {
  return uidMap
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .some(([inside = 0, , length = 0]) => inside <= FIRST_UID && inside + length >= FIRST_UID + COUNT);
}
