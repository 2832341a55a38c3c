import { MAX_WAITING_EVENTS, type NewOutgoingEvent, type Outbox } from "../outbox.ts";
import type { PostgresDatabase, Row, Statements } from "./database.ts";

export interface PostgresOutbox extends Outbox {
  /** To be called in the transaction that stores what the events tell of. */
  put(statements: Statements, events: readonly NewOutgoingEvent[]): Promise<void>;
}

export function postgresOutbox(database: PostgresDatabase): PostgresOutbox {
  return {
    async put(statements, events) {
      if (events.length === 0) return;
      // Whoever else puts events waits for this row until the commit. So positions have no gaps, and nobody who reads has
      // gone past a position that is filled later, as with a sequence.
      const [end] = await statements.rows("UPDATE outbox_end SET position = position + $1 RETURNING position", [
        events.length,
      ]);
      const last = positionIn(end);
      await statements.changes(
        `INSERT INTO outbox (position, sandbox_name, json, for_own_file)
         SELECT $1::bigint + ordinality, sandbox_name, json, for_own_file
         FROM unnest($2::text[], $3::text[], $4::boolean[]) WITH ORDINALITY
           AS events (sandbox_name, json, for_own_file, ordinality)`,
        [
          last - events.length,
          events.map(({ sandboxName }) => sandboxName),
          events.map(({ json }) => json),
          events.map(({ isForOwnFile }) => isForOwnFile),
        ],
      );
      await statements.changes("DELETE FROM outbox WHERE position <= $1", [last - MAX_WAITING_EVENTS]);
    },
    register: (wanted) =>
      database.transaction(async ({ rows, changes }) => {
        const end = positionIn((await rows("SELECT position FROM outbox_end FOR UPDATE"))[0]);
        await changes("DELETE FROM exports WHERE name <> ALL ($1::text[])", [wanted]);
        await changes(
          "INSERT INTO exports (name, position) SELECT unnest($1::text[]), $2::bigint ON CONFLICT (name) DO NOTHING",
          [wanted, end],
        );
        if (wanted.length === 0) await changes("DELETE FROM outbox");
      }),
    async cursor(name) {
      return positionIn((await database.rows("SELECT position FROM exports WHERE name = $1", [name]))[0]);
    },
    async after(position, limit) {
      const rows = await database.rows("SELECT * FROM outbox WHERE position > $1 ORDER BY position LIMIT $2", [
        position,
        limit,
      ]);
      return rows.map((row) => ({
        position: positionIn(row),
        sandboxName: String(row["sandbox_name"]),
        json: String(row["json"]),
        isForOwnFile: row["for_own_file"] === true,
      }));
    },
    advance: (name, position) =>
      database.transaction(async ({ changes }) => {
        await changes("UPDATE exports SET position = $1 WHERE name = $2 AND position < $1", [position, name]);
        await changes("DELETE FROM outbox WHERE position <= (SELECT min(position) FROM exports)");
      }),
    async backlogs() {
      const rows = await database.rows(
        `SELECT name, (SELECT count(*) FROM outbox WHERE outbox.position > exports.position) AS count FROM exports`,
      );
      return new Map(rows.map(({ name, count }) => [String(name), Number(count)]));
    },
  };
}

function positionIn(row: Row | undefined): number {
  return Number(row?.["position"] ?? 0);
}
