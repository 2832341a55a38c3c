/** Opens the gateway's databases and brings their tables up to date. */
import { DatabaseSync } from "node:sqlite";
import { type Migration, migrate } from "./migrate.ts";

export interface DatabaseOptions {
  readonly path: string;
  readonly migrations: readonly Migration[];
  /** Whether a commit must survive the loss of power, not only of the process. */
  readonly durable: boolean;
}

/** A database in WAL mode: readers never wait for the writer, and a crash leaves the last commit. */
export function openDatabase({ path, migrations, durable }: DatabaseOptions): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL");
  // FULL syncs the log at each commit (0.4 ms on an SSD); NORMAL may lose the last commits when the machine dies.
  database.exec(`PRAGMA synchronous = ${durable ? "FULL" : "NORMAL"}`);
  database.exec("PRAGMA foreign_keys = ON");
  migrate(database, migrations);
  return database;
}

/** Runs `work` in one transaction; all of it happens, or, if it throws, none. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // A full disk and the like have rolled it back already; sqlite.org/lang_transaction.html.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
