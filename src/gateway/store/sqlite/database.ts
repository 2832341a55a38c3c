/** Opens the gateway's databases and brings their tables up to date. */
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { DatabaseRefused, DatabaseTooNew } from "../database-refused.ts";
import { SandboxGone } from "../store.ts";
import { type Migration, migrate, stepsTaken } from "./migrate.ts";

export interface DatabaseOptions {
  readonly path: string;
  readonly migrations: readonly Migration[];
  /** Whether a commit must survive the loss of power, not only of the process. */
  readonly durable: boolean;
  /** Of a database that does not exist yet, instead of SQLite's 4096. */
  readonly pageBytes?: number;
}

/**
 * A database in WAL mode: readers never wait for the writer, and a crash leaves the last commit.
 * Throws DatabaseRefused for one that is damaged, or newer than this program.
 */
export function openDatabase({ path, migrations, durable, pageBytes }: DatabaseOptions): DatabaseSync {
  requireUsable(path, migrations);
  const database = new DatabaseSync(path);
  try {
    // Before anything is written, or it says nothing.
    if (pageBytes !== undefined) database.exec(`PRAGMA page_size = ${pageBytes}`);
    database.exec("PRAGMA journal_mode = WAL");
    // FULL syncs the log at each commit (0.4 ms on an SSD); NORMAL may lose the last commits when the machine dies.
    database.exec(`PRAGMA synchronous = ${durable ? "FULL" : "NORMAL"}`);
    database.exec("PRAGMA foreign_keys = ON");
    migrate(database, migrations);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** SQLite's result codes for a file that is no sound database: SQLITE_CORRUPT, SQLITE_NOTADB. */
const DAMAGED: readonly unknown[] = [11, 26];

/**
 * Throws DatabaseRefused. Opens the database only for reading: by itself a connection that closes moves what is in the log
 * of a refused database into its file. Reads the header and the schema: more would take its time at each start, and is
 * found out when it is read.
 */
function requireUsable(path: string, migrations: readonly Migration[]): void {
  if (!existsSync(path)) return;
  using database = new DatabaseSync(path, { readOnly: true });
  try {
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
    stepsTaken(database, migrations);
  } catch (error) {
    if (error instanceof DatabaseTooNew) throw new DatabaseRefused(`${path}: ${error.message}`);
    const code = Number((error as { errcode?: number }).errcode) & 0xff;
    if (!DAMAGED.includes(code)) throw error;
    throw new DatabaseRefused(
      `${path} is damaged (${error instanceof Error ? error.message : String(error)}) and was left as it is. ` +
        "Put a backup in its place with `openshell gateway restore FILE --force`, or begin anew with `openshell gateway destroy`",
    );
  }
}

/** SQLITE_CONSTRAINT_FOREIGNKEY. All foreign keys are of sandboxes. */
const NO_SANDBOX = 787;

/** Runs `work` in one transaction; all of it happens, or, if it throws, none. Throws SandboxGone. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // A full disk and the like have rolled it back already; sqlite.org/lang_transaction.html.
    if (database.isTransaction) database.exec("ROLLBACK");
    if ((error as { errcode?: number }).errcode === NO_SANDBOX) throw new SandboxGone("the sandbox is gone");
    throw error;
  }
}
