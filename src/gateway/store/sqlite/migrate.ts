import type { DatabaseSync } from "node:sqlite";
import { DatabaseTooNew } from "../database-refused.ts";

/** One step of the schema, as SQL. Never changed once released; what comes later is a new step. */
export type Migration = string;

/**
 * Brings a database to the newest schema, forward only, in one transaction. `user_version` counts the steps taken.
 * Throws DatabaseTooNew when the database is newer than this program: an older gateway must not write into it.
 */
export function migrate(database: DatabaseSync, migrations: readonly Migration[]): void {
  const taken = stepsTaken(database, migrations);
  if (taken === migrations.length) return;
  database.exec("BEGIN EXCLUSIVE");
  for (const migration of migrations.slice(taken)) database.exec(migration);
  database.exec(`PRAGMA user_version = ${migrations.length}`);
  database.exec("COMMIT");
}

/** Throws DatabaseTooNew. */
export function stepsTaken(database: DatabaseSync, known: readonly Migration[]): number {
  const taken = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (taken > known.length) throw new DatabaseTooNew(taken, known.length);
  return taken;
}
