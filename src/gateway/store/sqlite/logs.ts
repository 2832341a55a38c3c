import type { DatabaseSync } from "node:sqlite";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type SandboxLogLine, SandboxLogLineSchema } from "../../../gen/openshell/v1/watch_pb.ts";
import { type LogStore, MAX_LOG_LINES } from "../store.ts";
import { inTransaction } from "./database.ts";
import type { SqliteOutbox } from "./outbox.ts";

/** Looking for lines to drop costs more than keeping a few, so it is done once in so many. */
const TRIM_EVERY = 1_000;

export interface SqliteLogs extends LogStore {
  remove(sandboxId: string): void;
}

/** Log lines in SQLite, bounded for each sandbox. */
export function sqliteLogs(database: DatabaseSync, outbox: SqliteOutbox): SqliteLogs {
  // The key makes a line that arrives twice the same line.
  const insert = database.prepare("INSERT OR IGNORE INTO log_lines VALUES (?, ?, ?, ?, ?, ?)");
  const newest = database.prepare(
    "SELECT max(sequence) AS sequence FROM log_lines WHERE sandbox_id = ? AND source = ?",
  );
  const count = database.prepare("SELECT count(*) AS count FROM log_lines WHERE sandbox_id = ?");
  const trim = database.prepare("DELETE FROM log_lines WHERE sandbox_id = ? AND source = 'sandbox' AND sequence <= ?");
  const remove = database.prepare("DELETE FROM log_lines WHERE sandbox_id = ?");
  const read = database.prepare(
    `SELECT line FROM log_lines
     WHERE sandbox_id = $id AND timestamp_ms >= $since AND ($before = 0 OR sequence < $before)
       AND ($sources = '[]' OR source IN (SELECT value FROM json_each($sources)))
       AND ($levels = '[]' OR level IN (SELECT value FROM json_each($levels)))
     ORDER BY timestamp_ms DESC, sequence DESC LIMIT $lines`,
  );
  const cursorOf = (id: string, source: string) => Number(newest.get(id, source)?.["sequence"] ?? 0);

  return {
    async append(sandboxId, lines, outgoing = () => undefined) {
      return inTransaction(database, () => {
        const added: SandboxLogLine[] = [];
        for (const line of lines) {
          const source = line.source || "sandbox";
          const sequence = line.sequence === 0n ? cursorOf(sandboxId, source) + 1 : Number(line.sequence);
          const bytes = toBinary(SandboxLogLineSchema, line);
          const at = Number(line.timestampMs);
          const { changes } = insert.run(sandboxId, source, sequence, at, line.level.toUpperCase(), bytes);
          if (changes > 0) added.push(line);
          if (sequence % TRIM_EVERY === 0) trim.run(sandboxId, sequence - MAX_LOG_LINES);
        }
        outbox.put(added.flatMap((line) => outgoing(line) ?? []));
        return added;
      });
    },
    async cursor(sandboxId) {
      return cursorOf(sandboxId, "sandbox");
    },
    async read({ sandboxId, lines, sinceMs, beforeSequence = 0, sources, levels }) {
      const rows = read.all({
        $id: sandboxId,
        $since: sinceMs,
        $before: beforeSequence,
        $sources: JSON.stringify(sources),
        $levels: JSON.stringify(levels),
        $lines: lines,
      });
      return rows.reverse().map((row) => fromBinary(SandboxLogLineSchema, row["line"] as Uint8Array));
    },
    async count(sandboxId) {
      return Number(count.get(sandboxId)?.["count"]);
    },
    remove: (sandboxId) => void remove.run(sandboxId),
  };
}
