import { fromBinary } from "@bufbuild/protobuf";
import { type SandboxLogLine, SandboxLogLineSchema } from "../../../gen/openshell/v1/watch_pb.ts";
import { logLineBytes } from "../log-line-bytes.ts";
import { newestLines } from "../newest-lines.ts";
import type { LogStore } from "../store.ts";
import type { PostgresDatabase, Statements } from "./database.ts";
import type { PostgresOutbox } from "./outbox.ts";

/** Log lines in PostgreSQL, bounded for each sandbox. */
export function postgresLogs(database: PostgresDatabase, outbox: PostgresOutbox): LogStore {
  return {
    async append(sandboxId, lines, outgoing = () => undefined) {
      if (lines.length === 0) return [];
      return await database.transaction(async (statements) => {
        // Two batches of one sandbox take turns, so that lines without a number get theirs without gaps and twins.
        await statements.rows("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [sandboxId]);
        const added = await insert(statements, sandboxId, await numbered(statements, sandboxId, lines));
        await outbox.put(
          statements,
          added.flatMap((line) => outgoing(line) ?? []),
        );
        return added;
      });
    },
    async cursor(sandboxId) {
      return await lastOf(database, sandboxId, "sandbox");
    },
    async read({ sandboxId, lines, sinceMs, beforeSequence = 0, sources, levels }) {
      const read = async (source: string, from: string): Promise<SandboxLogLine[]> => {
        if (sources.length > 0 && !sources.includes(source)) return [];
        const rows = await database.rows(
          `SELECT line FROM ${from} AND timestamp_ms >= $2 AND ($3::bigint = 0 OR sequence < $3)
             AND ($4::text[] = '{}' OR level = ANY ($4)) ORDER BY sequence DESC LIMIT $5`,
          [sandboxId, sinceMs, beforeSequence, levels, lines],
        );
        return rows.map(({ line }) => fromBinary(SandboxLogLineSchema, line as Uint8Array));
      };
      const logs = await Promise.all([
        read("sandbox", "log_lines WHERE sandbox_id = $1 AND source = 'sandbox'"),
        read("gateway", "call_log WHERE ($1 = '' OR sandbox_id = $1)"),
      ]);
      return newestLines(logs, lines);
    },
    async count(sandboxId) {
      const [row] = await database.rows("SELECT count(*) AS count FROM log_lines WHERE sandbox_id = $1", [sandboxId]);
      return Number(row?.["count"]);
    },
    // As in SQLite: what is left has no gap, and the newest stays.
    async trim(sandboxId, { lines, sinceMs }) {
      const newest = await lastOf(database, sandboxId, "sandbox");
      await database.changes(
        `DELETE FROM log_lines WHERE sandbox_id = $1 AND source = 'sandbox' AND sequence < greatest($2::bigint - $3::bigint + 1,
           (SELECT coalesce(min(sequence), $2::bigint) FROM log_lines
              WHERE sandbox_id = $1 AND source = 'sandbox' AND (timestamp_ms >= $4 OR sequence = $2::bigint)))`,
        [sandboxId, newest, lines, sinceMs],
      );
    },
  };
}

interface NumberedLine {
  readonly line: SandboxLogLine;
  readonly source: string;
  readonly sequence: number;
}

/** Lines of the gateway's own have no number yet, and get the next ones of their source. */
async function numbered(
  statements: Statements,
  sandboxId: string,
  lines: readonly SandboxLogLine[],
): Promise<NumberedLine[]> {
  const last = new Map<string, number>();
  const result: NumberedLine[] = [];
  for (const line of lines) {
    const source = line.source || "sandbox";
    const before = last.get(source) ?? 0;
    const sequence =
      line.sequence === 0n ? Math.max(before, await lastOf(statements, sandboxId, source)) + 1 : Number(line.sequence);
    last.set(source, Math.max(before, sequence));
    result.push({ line, source, sequence });
  }
  return result;
}

/** Gives the lines that are new: the key makes a line that arrives twice the same line. */
async function insert(
  { rows }: Statements,
  sandboxId: string,
  lines: readonly NumberedLine[],
): Promise<SandboxLogLine[]> {
  const added = await rows(
    `INSERT INTO log_lines (sandbox_id, source, sequence, timestamp_ms, level, line)
     SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::bytea[])
     ON CONFLICT DO NOTHING RETURNING source, sequence`,
    [
      sandboxId,
      lines.map(({ source }) => source),
      lines.map(({ sequence }) => sequence),
      lines.map(({ line }) => Number(line.timestampMs)),
      lines.map(({ line }) => line.level.toUpperCase()),
      lines.map(({ line }) => logLineBytes(line)),
    ],
  );
  const isNew = new Set(added.map(({ source, sequence }) => `${source} ${sequence}`));
  return lines.filter(({ source, sequence }) => isNew.has(`${source} ${sequence}`)).map(({ line }) => line);
}

/** The last sequence number of a source; 0 where it has said nothing. One look into the key's index. */
async function lastOf({ rows }: Statements, sandboxId: string, source: string): Promise<number> {
  const [row] = await rows("SELECT max(sequence) AS last FROM log_lines WHERE sandbox_id = $1 AND source = $2", [
    sandboxId,
    source,
  ]);
  return Number(row?.["last"] ?? 0);
}
