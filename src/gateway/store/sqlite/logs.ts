import type { DatabaseSync, StatementSync } from "node:sqlite";
import { fromBinary } from "@bufbuild/protobuf";
import { type SandboxLogLine, SandboxLogLineSchema } from "../../../gen/openshell/v1/watch_pb.ts";
import { logLineBytes } from "../log-line-bytes.ts";
import { newestLines } from "../newest-lines.ts";
import type { LogStore } from "../store.ts";
import { inTransaction } from "./database.ts";
import type { SqliteOutbox } from "./outbox.ts";

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
  // By number, so that what is left is the end of the log without a gap, also where the clock was set meanwhile. The newest
  // stays, whatever its age: it tells the supervisor from where to go on.
  const trim = database.prepare(
    `DELETE FROM log_lines WHERE sandbox_id = $id AND source = 'sandbox' AND sequence < max($newest - $lines + 1,
       (SELECT coalesce(min(sequence), $newest) FROM log_lines
          WHERE sandbox_id = $id AND source = 'sandbox' AND (timestamp_ms >= $since OR sequence = $newest)))`,
  );
  const remove = database.prepare("DELETE FROM log_lines WHERE sandbox_id = ?");
  const wanted = `timestamp_ms >= $since AND ($before = 0 OR sequence < $before)
    AND ($levels = '[]' OR level IN (SELECT value FROM json_each($levels)))`;
  const inOrder = `SELECT line FROM log_lines WHERE sandbox_id = $id AND source = 'sandbox' AND ${wanted}
     ORDER BY sequence DESC LIMIT $lines`;
  const readSandbox = database.prepare(inOrder);
  // The same by the index of times: +sequence is no column of an index (sqlite.org/optoverview.html).
  const readSandboxSince = database.prepare(inOrder.replace("BY sequence", "BY +sequence"));
  const readCalls = database.prepare(
    `SELECT line FROM call_log WHERE ($id = '' OR sandbox_id = $id) AND ${wanted} ORDER BY sequence DESC LIMIT $lines`,
  );
  const cursorOf = (id: string, source: string) => Number(newest.get(id, source)?.["sequence"] ?? 0);

  return {
    async append(sandboxId, lines, outgoing = () => undefined) {
      return inTransaction(database, () => {
        const added: SandboxLogLine[] = [];
        for (const line of lines) {
          const source = line.source || "sandbox";
          const sequence = line.sequence === 0n ? cursorOf(sandboxId, source) + 1 : Number(line.sequence);
          const bytes = logLineBytes(line);
          const at = Number(line.timestampMs);
          const { changes } = insert.run(sandboxId, source, sequence, at, line.level.toUpperCase(), bytes);
          if (changes > 0) added.push(line);
        }
        outbox.put(added.flatMap((line) => outgoing(line) ?? []));
        return added;
      });
    },
    async cursor(sandboxId) {
      return cursorOf(sandboxId, "sandbox");
    },
    async read({ sandboxId, lines, sinceMs, beforeSequence = 0, sources, levels }) {
      const asked = {
        $id: sandboxId,
        $since: sinceMs,
        $before: beforeSequence,
        $levels: JSON.stringify(levels),
        $lines: lines,
      };
      const read = (source: string, statement: StatementSync): SandboxLogLine[] =>
        sources.length > 0 && !sources.includes(source)
          ? []
          : statement.all(asked).map(({ line }) => fromBinary(SandboxLogLineSchema, line as Uint8Array));
      const ofSandbox = read("sandbox", sinceMs > 0 ? readSandboxSince : readSandbox);
      return newestLines([ofSandbox, read("gateway", readCalls)], lines);
    },
    async count(sandboxId) {
      return Number(count.get(sandboxId)?.["count"]);
    },
    async trim(sandboxId, { lines, sinceMs }) {
      trim.run({ $id: sandboxId, $newest: cursorOf(sandboxId, "sandbox"), $since: sinceMs, $lines: lines });
    },
    remove: (sandboxId) => void remove.run(sandboxId),
  };
}
