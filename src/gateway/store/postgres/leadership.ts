/**
 * Which gateway works on a database: one at a time, the leader, since what a gateway knows of connected supervisors is in its memory.
 * Two things make sure of it. The lock is of the leader's session (pg_advisory_lock), so that the server gives it back
 * however the leader ends. The term counts leaders: a gateway marks each of its connections with its own, and a new leader
 * ends those of earlier terms before it reads anything. So a gateway that was frozen while another one took over changes
 * nothing any more.
 */
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";
import { DatabaseRefused } from "../database-refused.ts";

/** Any number that is ours. */
const GATEWAY_LOCK = 8_245_002;
/** How often a gateway that waits for its turn asks; a server that restarts is back after a few times. */
const ASK_MS = 500;
/** After a server's restart the leader comes first, whose sandboxes are connected to it. */
const STAND_BACK_MS = 2_000;
/** Often enough to miss some. */
const RENEW_MS = 3_000;
/** A leader that has not renewed its term for so long is frozen, or out of the server's reach. */
const EXPIRED_SECONDS = 15;
/** A leader that has the lock since a moment ago may not have begun its term yet. */
const GRACE_MS = 3_000;
/** The server ends a connection as soon as its statement lets it. */
const ENDED_WITHIN_MS = 10_000;
/** The connections of a gateway have this name in pg_stat_activity, with the term behind it. */
const CONNECTION_NAME = "openshell-gateway";

/** Where a leader is reached by those that wait. */
export interface LeaderAddress {
  readonly host: string;
  readonly apiPort: number;
  readonly supervisorsPort: number;
}

/** A gateway that waits for its turn, instead of being refused. */
export interface Standby {
  readonly address: LeaderAddress;
  /** Told at each look who leads; undefined: nobody, as far as anybody knows. */
  readonly onLeader: (leader: LeaderAddress | undefined) => void;
}

export interface Candidacy {
  readonly standby?: Standby | undefined;
  /** Another gateway leads by now, so that this one must end at once. */
  readonly onTaken: () => void;
}

export interface Leadership extends AsyncDisposable {
  /** Marks a new connection to the database as this term's. @throws DatabaseRefused when the term is over */
  admit(client: pg.ClientBase): Promise<void>;
}

/**
 * Leads, now or, as a standby, once it is its turn. A connection that breaks is made anew and the lock taken again; only if
 * another one has led meanwhile is `onTaken` called.
 * @throws DatabaseRefused when another gateway leads and this one is no standby; whatever pg throws when the server can't be used
 */
export async function takeLeadership(url: string, { standby, onTaken }: Candidacy): Promise<Leadership> {
  const closing = new AbortController();
  const { client, term } = standby ? await waitForTurn(url, standby) : await takeOrRefuse(url);
  const keeping = keepLeading({ url, client, term, signal: closing.signal, onTaken });
  return {
    async admit(connection) {
      // Marked before it asks: whoever begins a term afterwards sees the mark.
      await connection.query("SELECT set_config('application_name', $1, false)", [nameOf(term)]);
      await checkTerm(connection, term);
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await keeping;
    },
  };
}

interface Lead {
  /** Whose session has the lock. */
  readonly client: pg.Client;
  readonly term: number;
}

async function takeOrRefuse(url: string): Promise<Lead> {
  const client = await connect(url);
  if (await tryLock(client)) return { client, term: await beginTerm(client) };
  await client.end();
  throw new DatabaseRefused("another gateway uses this database: stop that one first, or let both be replicas");
}

/** A server that can't be used at first is an error; later it may restart, and is waited for. */
async function waitForTurn(url: string, { address, onLeader }: Standby): Promise<Lead> {
  let client = await connect(url);
  let expiredSince: number | undefined;
  for (;;) {
    try {
      if (await tryLock(client)) return { client, term: await beginTerm(client, address) };
      const { leader, isExpired } = await currentLeader(client);
      onLeader(leader);
      expiredSince = isExpired ? (expiredSince ?? Date.now()) : undefined;
      if (expiredSince !== undefined && Date.now() - expiredSince > GRACE_MS) await endHolder(client);
      await wait(ASK_MS);
    } catch {
      await client.end().catch(() => {});
      await wait(STAND_BACK_MS);
      client = await connect(url).catch(() => client);
    }
  }
}

/** Renews the term until `signal`, over breaks of the connection; or until another gateway leads. */
async function keepLeading({
  url,
  client: first,
  term,
  signal,
  onTaken,
}: Lead & { url: string; signal: AbortSignal; onTaken: () => void }): Promise<void> {
  let client: pg.Client | undefined = first;
  while (!signal.aborted) {
    try {
      client ??= await connect(url);
      await checkTerm(client, term);
      // Within this term nobody else may have the lock: it is our own session's, whose end the server has not noticed yet, or
      // that of a standby that was quicker.
      if (await tryLock(client)) await renewWhileConnected(client, term, signal);
      else await endHolder(client);
    } catch (error) {
      if (error instanceof DatabaseRefused) return onTaken();
    }
    await client?.end().catch(() => {});
    client = undefined;
    await wait(ASK_MS, undefined, { signal }).catch(() => {});
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, keepAlive: true });
  // Told by the next statement, or by the connection's end.
  client.on("error", () => {});
  await client.connect();
  // Two that start at the same moment would both find no table, and one would fail: the lock is this transaction's.
  await client.query(`
    BEGIN;
    SELECT pg_advisory_xact_lock(${GATEWAY_LOCK + 1});
    CREATE TABLE IF NOT EXISTS leadership (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      term BIGINT NOT NULL,
      address JSONB,
      renewed_at TIMESTAMPTZ NOT NULL
    );
    COMMIT`);
  return client;
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query("SELECT pg_try_advisory_lock($1) AS taken", [GATEWAY_LOCK]);
  return rows[0]?.["taken"] === true;
}

async function currentLeader(
  client: pg.Client,
): Promise<{ readonly leader: LeaderAddress | undefined; readonly isExpired: boolean }> {
  const { rows } = await client.query(
    `SELECT address, renewed_at < clock_timestamp() - make_interval(secs => $1) AS expired FROM leadership`,
    [EXPIRED_SECONDS],
  );
  return { leader: rows[0]?.["address"] ?? undefined, isExpired: rows[0]?.["expired"] === true };
}

/** Ends the session of a leader that does not end it: a key of 64 bits is two columns in pg_locks. */
async function endHolder(client: pg.Client): Promise<void> {
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_locks
       WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = $1 AND objsubid = 1
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [GATEWAY_LOCK],
  );
}

/** Gives the new term once no connection of an earlier one is left. @throws DatabaseRefused when one stays */
async function beginTerm(client: pg.Client, address?: LeaderAddress): Promise<number> {
  const { rows } = await client.query(
    `INSERT INTO leadership (id, term, address, renewed_at) VALUES (1, 1, $1, clock_timestamp())
       ON CONFLICT (id) DO UPDATE
         SET term = leadership.term + 1, address = excluded.address, renewed_at = excluded.renewed_at
       RETURNING term`,
    [address && JSON.stringify(address)],
  );
  const term = Number(rows[0]?.["term"]);
  const deadline = Date.now() + ENDED_WITHIN_MS;
  while (await endEarlierConnections(client, term)) {
    if (Date.now() > deadline) throw new DatabaseRefused("connections of the gateway before this one do not end");
    await wait(ASK_MS / 10);
  }
  return term;
}

/** Whether there were any. */
async function endEarlierConnections(client: pg.Client, term: number): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name LIKE $1 AND application_name <> $2`,
    [`${CONNECTION_NAME} %`, nameOf(term)],
  );
  return rowCount !== 0;
}

/** Until the connection breaks, or `signal`. */
async function renewWhileConnected(client: pg.Client, term: number, signal: AbortSignal): Promise<void> {
  const ended = new AbortController();
  client.once("end", () => ended.abort());
  const until = AbortSignal.any([signal, ended.signal]);
  while (!until.aborted) {
    await client.query("UPDATE leadership SET renewed_at = clock_timestamp() WHERE term = $1", [term]);
    await wait(RENEW_MS, undefined, { signal: until }).catch(() => {});
  }
}

async function checkTerm(client: pg.ClientBase, term: number): Promise<void> {
  const { rows } = await client.query("SELECT term FROM leadership");
  if (Number(rows[0]?.["term"]) !== term) throw new DatabaseRefused("another gateway uses this database by now");
}

function nameOf(term: number): string {
  return `${CONNECTION_NAME} ${term}`;
}
