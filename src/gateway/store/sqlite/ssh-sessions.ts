import type { DatabaseSync } from "node:sqlite";
import { MAX_LISTED_SESSIONS, type SshSessionRecord, type SshSessionStore } from "../ssh-session-store.ts";
import { inTransaction } from "./database.ts";

/** SSH sessions in SQLite. */
export function sqliteSshSessions(database: DatabaseSync): SshSessionStore {
  const insert = database.prepare("INSERT INTO ssh_sessions VALUES (?, ?, ?, ?, ?, ?, ?)");
  const forget = database.prepare(
    "DELETE FROM ssh_sessions WHERE expires_at_ms < $allBeforeMs OR (revoked = 1 AND expires_at_ms < $revokedBeforeMs)",
  );
  const one = database.prepare("SELECT * FROM ssh_sessions WHERE id = ?");
  const some = database.prepare(
    `SELECT * FROM ssh_sessions WHERE $sandbox IS NULL OR sandbox_id = $sandbox
     ORDER BY created_at_ms DESC, id LIMIT ${MAX_LISTED_SESSIONS}`,
  );
  const revoke = database.prepare("UPDATE ssh_sessions SET revoked = 1 WHERE id = ?");
  return {
    async create(
      { id, sandboxId, user, tokenHash, createdAtMs, expiresAtMs, revoked },
      { allBeforeMs, revokedBeforeMs },
    ) {
      inTransaction(database, () => {
        forget.run({ allBeforeMs, revokedBeforeMs });
        insert.run(id, sandboxId, user, tokenHash, createdAtMs, expiresAtMs, Number(revoked));
      });
    },
    async get(id) {
      const row = one.get(id);
      return row && fromRow(row);
    },
    async list(sandboxId) {
      return some.all({ $sandbox: sandboxId ?? null }).map(fromRow);
    },
    async revoke(id) {
      return revoke.run(id).changes > 0;
    },
  };
}

function fromRow(row: Record<string, unknown>): SshSessionRecord {
  return {
    id: String(row["id"]),
    sandboxId: String(row["sandbox_id"]),
    user: String(row["user"]),
    tokenHash: row["token_hash"] as Uint8Array,
    createdAtMs: Number(row["created_at_ms"]),
    expiresAtMs: Number(row["expires_at_ms"]),
    revoked: row["revoked"] !== 0,
  };
}
