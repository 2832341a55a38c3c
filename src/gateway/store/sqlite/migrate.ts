import type { DatabaseSync } from "node:sqlite";

/** One step of the schema, as SQL. Never changed once released; what comes later is a new step. */
export type Migration = string;

/** A newer program has changed the schema. */
export class DatabaseTooNew extends Error {}

/**
 * Brings a database to the newest schema, forward only, in one transaction. `user_version` counts the steps taken.
 * Throws DatabaseTooNew when the database is newer than this program: an older gateway must not write into it.
 */
export function migrate(database: DatabaseSync, migrations: readonly Migration[]): void {
  const taken = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (taken > migrations.length) {
    throw new DatabaseTooNew(
      `the database has schema ${taken}, this version knows ${migrations.length}: use a newer openshell, ` +
        "or put a backup of before in its place with `openshell gateway restore FILE --force`",
    );
  }
  if (taken === migrations.length) return;
  database.exec("BEGIN EXCLUSIVE");
  for (const migration of migrations.slice(taken)) database.exec(migration);
  database.exec(`PRAGMA user_version = ${migrations.length}`);
  database.exec("COMMIT");
}
