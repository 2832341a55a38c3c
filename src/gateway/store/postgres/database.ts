/** The gateway's tables in PostgreSQL: a pool of connections, transactions, and a schema that is brought up to date. */
import pg from "pg";
import { SandboxGone } from "../store.ts";
import { migrate } from "./migrate.ts";
import { stateMigrations } from "./migrations.ts";

/** A row as the driver gives it: numbers, texts, bytes. */
export type Row = Record<string, unknown>;

/** Where statements run: any connection of the pool, or the one of a transaction. */
export interface Statements {
  /** Runs one statement with `$1`, `$2` … in it; gives its rows. */
  rows(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** The same for a statement that changes rows; gives how many. */
  changes(text: string, values?: readonly unknown[]): Promise<number>;
}

export interface PostgresDatabase extends Statements {
  /** Runs `work` in one transaction; all of it happens, or, if it throws, none. Throws SandboxGone. */
  transaction<T>(work: (statements: Statements) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Connections of one gateway; a server's usual limit is a hundred. */
const MAX_CONNECTIONS = 10;
/** A server that does not answer by then is away, and the caller is told so. */
const CONNECT_TIMEOUT_MS = 5_000;
/** No statement of ours takes a tenth of it; one that hangs must not hold a connection for ever. */
const STATEMENT_TIMEOUT_MS = 30_000;
/** foreign_key_violation. All foreign keys are of sandboxes. */
const NO_SANDBOX = "23503";

export interface PostgresOptions {
  /** Asked about each new connection before its first statement; see Leadership. */
  readonly admit: (client: pg.ClientBase) => Promise<void>;
  /** Told of each connection that breaks; the next statement makes a new one. */
  readonly onLost: (error: Error) => void;
}

/**
 * Opens the database at `url` (`postgres://user:password@host:port/name`; libpq's variables and parameters are understood).
 * Throws when it can't be reached, what `admit` throws, and DatabaseTooNew when a newer program has changed its schema.
 */
export async function openPostgres(url: string, { admit, onLost }: PostgresOptions): Promise<PostgresDatabase> {
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    types: { getTypeParser },
    verify: (client, done) => void admit(client).then(() => done(), done),
  });
  // Each connection tells for itself: the pool listens to idle ones only, and one that breaks in a transaction, between two
  // statements, would be an exception.
  pool.on("connect", (client) => void client.on("error", onLost));
  pool.on("error", () => {});
  const database: PostgresDatabase = {
    ...statementsOf(pool),
    transaction: (work) => inTransaction(pool, work),
    close: () => pool.end(),
  };
  try {
    await migrate(database, stateMigrations);
  } catch (error) {
    await pool.end();
    throw error;
  }
  return database;
}

function statementsOf(target: pg.Pool | pg.PoolClient): Statements {
  return {
    rows: async (text, values = []) => (await target.query<Row>(text, [...values])).rows,
    changes: async (text, values = []) => (await target.query(text, [...values])).rowCount ?? 0,
  };
}

async function inTransaction<T>(pool: pg.Pool, work: (statements: Statements) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken = false;
  try {
    await client.query("BEGIN");
    const result = await work(statementsOf(client));
    await client.query("COMMIT");
    return result;
  } catch (error) {
    // A connection that can't even roll back is not used again; the server does it when the connection ends.
    await client.query("ROLLBACK").catch(() => {
      broken = true;
    });
    if ((error as { code?: string }).code === NO_SANDBOX) throw new SandboxGone("the sandbox is gone");
    throw error;
  } finally {
    client.release(broken);
  }
}

/** Whole numbers come as numbers (ours are milliseconds and counts, far below 2^53), bytes without Node's pool behind them. */
function getTypeParser(oid: number, format?: "text" | "binary"): (value: string) => unknown {
  const parse = pg.types.getTypeParser(oid, format as "text");
  if (oid === pg.types.builtins.INT8 || oid === pg.types.builtins.NUMERIC) return Number;
  if (oid === pg.types.builtins.BYTEA) return (value) => new Uint8Array(parse(value) as Buffer);
  return parse;
}
