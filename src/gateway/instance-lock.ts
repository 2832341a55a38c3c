import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * Makes this process the only gateway of a state directory; undefined if there is one already. The kernel gives the lock
 * back however the process ends. It is SQLite's lock on an empty database, because Node itself has no file locks.
 */
export function takeInstanceLock(stateDirectory: string): Disposable | undefined {
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(join(stateDirectory, "gateway.lock"), { timeout: 0 });
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
  return { [Symbol.dispose]: () => database.close() };
}

/** Result code 5: somebody else has the lock. */
const SQLITE_BUSY = 5;
