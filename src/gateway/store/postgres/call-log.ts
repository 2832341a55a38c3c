import { randomUUID } from "node:crypto";
import { fromBinary } from "@bufbuild/protobuf";
import { SandboxLogLineSchema } from "../../../gen/openshell/v1/watch_pb.ts";
import { callLine } from "../call-line.ts";
import type { CallLog } from "../call-log.ts";
import { logLineBytes } from "../log-line-bytes.ts";
import type { PostgresDatabase, Statements } from "./database.ts";
import type { PostgresOutbox } from "./outbox.ts";

/** The gateway's own log in PostgreSQL. What reads it together with a sandbox's is in logs.ts. */
export function postgresCallLog(database: PostgresDatabase, outbox: PostgresOutbox): CallLog {
  return {
    id: () => database.transaction(takeId),
    async append(call, outgoing = () => undefined) {
      return await database.transaction(async (statements) => {
        const uid = await takeId(statements);
        const [last] = await statements.rows("SELECT line FROM call_log ORDER BY sequence DESC LIMIT 1");
        const line = callLine(call, uid, last && fromBinary(SandboxLogLineSchema, last["line"] as Uint8Array));
        await statements.changes("INSERT INTO call_log VALUES ($1, $2, $3, $4, $5)", [
          Number(line.sequence),
          call.sandboxId,
          Number(line.timestampMs),
          line.level,
          logLineBytes(line),
        ]);
        await outbox.put(statements, [outgoing(line) ?? []].flat());
        return line;
      });
    },
    // As in SQLite: what is left has no gap, and the newest stays.
    async trim({ lines, sinceMs }) {
      await database.changes(
        `WITH newest AS (SELECT max(sequence) AS sequence FROM call_log)
         DELETE FROM call_log USING newest WHERE call_log.sequence < greatest(newest.sequence - $1::bigint + 1,
           (SELECT coalesce(min(kept.sequence), newest.sequence) FROM call_log kept
              WHERE kept.timestamp_ms >= $2 OR kept.sequence = newest.sequence))`,
        [lines, sinceMs],
      );
    },
  };
}

/** The log's id, made if it has none yet, and its lock until the commit: calls take turns, so that each follows the one before. */
async function takeId({ rows, changes }: Statements): Promise<string> {
  const [known] = await rows("SELECT uid FROM call_log_id FOR UPDATE");
  if (known !== undefined) return String(known["uid"]);
  await changes("INSERT INTO call_log_id (id, uid) VALUES (1, $1) ON CONFLICT DO NOTHING", [randomUUID()]);
  return await takeId({ rows, changes });
}
