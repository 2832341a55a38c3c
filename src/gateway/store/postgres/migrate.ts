import { DatabaseTooNew } from "../database-refused.ts";
import type { PostgresDatabase } from "./database.ts";

/** One step of the schema, as SQL. Never changed once released; what comes later is a new step. */
export type Migration = string;

/** Any number that is ours: gateways that start at the same moment take the steps one after the other. */
const MIGRATION_LOCK = 8_245_001;

/**
 * Brings a database to the newest schema, forward only, in one transaction. `schema_version` counts the steps taken. Throws
 * DatabaseTooNew when the database is newer than this program: an older gateway must not write into it.
 */
export async function migrate(database: PostgresDatabase, migrations: readonly Migration[]): Promise<void> {
  await database.transaction(async ({ rows, changes }) => {
    await rows("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    await changes("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)");
    const taken = Number((await rows("SELECT version FROM schema_version"))[0]?.["version"] ?? 0);
    if (taken > migrations.length) throw new DatabaseTooNew(taken, migrations.length);
    for (const migration of migrations.slice(taken)) await changes(migration);
    await changes("DELETE FROM schema_version");
    await changes("INSERT INTO schema_version VALUES ($1)", [migrations.length]);
  });
}
