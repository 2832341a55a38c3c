import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { fromBinary } from "@bufbuild/protobuf";
import { type SandboxLogLine, SandboxLogLineSchema } from "../../../gen/openshell/v1/watch_pb.ts";
import { callLine } from "../call-line.ts";
import type { CallLog, NewCall } from "../call-log.ts";
import { logLineBytes } from "../log-line-bytes.ts";
import type { Outgoing } from "../store.ts";
import { inTransaction } from "./database.ts";
import type { SqliteOutbox } from "./outbox.ts";

/** The gateway's own log in SQLite. What reads it together with a sandbox's is in logs.ts. */
export function sqliteCallLog(database: DatabaseSync, outbox: SqliteOutbox): CallLog {
  const begin = database.prepare("INSERT OR IGNORE INTO call_log_id (id, uid) VALUES (1, ?)");
  const uidOf = database.prepare("SELECT uid FROM call_log_id WHERE id = 1");
  const newest = database.prepare("SELECT line FROM call_log ORDER BY sequence DESC LIMIT 1");
  const insert = database.prepare("INSERT INTO call_log VALUES (?, ?, ?, ?, ?)");
  // As in logs.ts. The newest stays, whatever its age: the next one's number and hash are made from it.
  const drop = database.prepare(
    `DELETE FROM call_log WHERE sequence < max($newest - $lines + 1,
       (SELECT coalesce(min(sequence), $newest) FROM call_log WHERE timestamp_ms >= $since OR sequence = $newest))`,
  );
  begin.run(randomUUID());
  const uid = String(uidOf.get()?.["uid"]);

  function last(): SandboxLogLine | undefined {
    const row = newest.get();
    return row && fromBinary(SandboxLogLineSchema, row["line"] as Uint8Array);
  }

  return {
    id: async () => uid,
    async append(call: NewCall, outgoing: Outgoing = () => undefined) {
      return inTransaction(database, () => {
        const line = callLine(call, uid, last());
        const { sequence, timestampMs, level } = line;
        insert.run(sequence, call.sandboxId, timestampMs, level, logLineBytes(line));
        outbox.put([outgoing(line) ?? []].flat());
        return line;
      });
    },
    async trim({ lines, sinceMs }) {
      drop.run({ $newest: Number(last()?.sequence ?? 0n), $since: sinceMs, $lines: lines });
    },
  };
}
