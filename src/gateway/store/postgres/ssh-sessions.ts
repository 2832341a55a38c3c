import { MAX_LISTED_SESSIONS, type SshSessionRecord, type SshSessionStore } from "../ssh-session-store.ts";
import type { PostgresDatabase, Row } from "./database.ts";

/** SSH sessions in PostgreSQL. */
export function postgresSshSessions(database: PostgresDatabase): SshSessionStore {
  return {
    create: ({ id, sandboxId, user, tokenHash, createdAtMs, expiresAtMs, revoked }, { allBeforeMs, revokedBeforeMs }) =>
      database.transaction(async ({ changes }) => {
        await changes("DELETE FROM ssh_sessions WHERE expires_at_ms < $1 OR (revoked AND expires_at_ms < $2)", [
          allBeforeMs,
          revokedBeforeMs,
        ]);
        await changes(
          `INSERT INTO ssh_sessions (id, sandbox_id, opened_by, token_hash, created_at_ms, expires_at_ms, revoked)
           VALUES ($1, $2, $3, $4, $5, $6, $7)`,
          [id, sandboxId, user, tokenHash, createdAtMs, expiresAtMs, revoked],
        );
      }),
    async get(id) {
      const [row] = await database.rows("SELECT * FROM ssh_sessions WHERE id = $1", [id]);
      return row && fromRow(row);
    },
    async list(sandboxId) {
      const rows = await database.rows(
        `SELECT * FROM ssh_sessions WHERE $1::text IS NULL OR sandbox_id = $1
         ORDER BY created_at_ms DESC, id LIMIT ${MAX_LISTED_SESSIONS}`,
        [sandboxId ?? null],
      );
      return rows.map(fromRow);
    },
    async revoke(id) {
      return (await database.changes("UPDATE ssh_sessions SET revoked = true WHERE id = $1", [id])) > 0;
    },
  };
}

function fromRow(row: Row): SshSessionRecord {
  return {
    id: String(row["id"]),
    sandboxId: String(row["sandbox_id"]),
    user: String(row["opened_by"]),
    tokenHash: row["token_hash"] as Uint8Array,
    createdAtMs: Number(row["created_at_ms"]),
    expiresAtMs: Number(row["expires_at_ms"]),
    revoked: row["revoked"] === true,
  };
}
