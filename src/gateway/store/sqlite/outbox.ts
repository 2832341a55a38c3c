import type { DatabaseSync } from "node:sqlite";
import { MAX_WAITING_EVENTS, type NewOutgoingEvent, type Outbox } from "../outbox.ts";
import { inTransaction } from "./database.ts";

/** Looking for events to drop costs more than keeping a few. */
const TRIM_EVERY = 1_000;

export interface SqliteOutbox extends Outbox {
  /** To be called in the transaction that stores what the events tell of. */
  put(events: readonly NewOutgoingEvent[]): void;
}

export function sqliteOutbox(database: DatabaseSync): SqliteOutbox {
  const insert = database.prepare("INSERT INTO outbox (sandbox_name, json, for_own_file) VALUES (?, ?, ?)");
  const drop = database.prepare("DELETE FROM outbox WHERE position <= ?");
  const after = database.prepare("SELECT * FROM outbox WHERE position > ? ORDER BY position LIMIT ?");
  const count = database.prepare("SELECT count(*) AS count FROM outbox WHERE position > ?");
  const cursor = database.prepare("SELECT position FROM exports WHERE name = ?");
  const advance = database.prepare("UPDATE exports SET position = ? WHERE name = ? AND position < ?");
  const slowest = database.prepare("SELECT min(position) AS position FROM exports");
  const names = database.prepare("SELECT name FROM exports");
  const forget = database.prepare("DELETE FROM exports WHERE name = ?");
  // The table of AUTOINCREMENT knows the last position, also where nothing waits.
  const last = database.prepare("SELECT seq AS position FROM sqlite_sequence WHERE name = 'outbox'");
  const begin = database.prepare("INSERT OR IGNORE INTO exports (name, position) VALUES (?, ?)");
  const positionIn = (row: Record<string, unknown> | undefined) => Number(row?.["position"] ?? 0);
  const cursorOf = (name: string) => positionIn(cursor.get(name));

  return {
    put(events) {
      for (const { sandboxName, json, isForOwnFile } of events) {
        const position = Number(insert.run(sandboxName, json, isForOwnFile ? 1 : 0).lastInsertRowid);
        if (position % TRIM_EVERY === 0) drop.run(position - MAX_WAITING_EVENTS);
      }
    },
    async register(wanted) {
      inTransaction(database, () => {
        const known = names.all().map((row) => String(row["name"]));
        for (const name of known) if (!wanted.includes(name)) forget.run(name);
        for (const name of wanted) begin.run(name, positionIn(last.get()));
        if (wanted.length === 0) drop.run(positionIn(last.get()));
      });
    },
    async cursor(name) {
      return cursorOf(name);
    },
    async after(position, limit) {
      return after.all(position, limit).map((row) => ({
        position: positionIn(row),
        sandboxName: String(row["sandbox_name"]),
        json: String(row["json"]),
        isForOwnFile: row["for_own_file"] === 1,
      }));
    },
    async advance(name, position) {
      inTransaction(database, () => {
        advance.run(position, name, position);
        drop.run(positionIn(slowest.get()));
      });
    },
    async backlogs() {
      return new Map(
        names.all().map((row) => {
          const name = String(row["name"]);
          return [name, Number(count.get(cursorOf(name))?.["count"])];
        }),
      );
    },
  };
}
