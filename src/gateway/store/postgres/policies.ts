import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { SandboxPolicySchema } from "../../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { PolicyStatus } from "../../../gen/openshell/v1/policy_pb.ts";
import type { NewPolicyRevision, PolicyRevisionRecord, PolicyStore } from "../store.ts";
import type { PostgresDatabase, Row, Statements } from "./database.ts";

/** Policy revisions in PostgreSQL. */
export function postgresPolicies(database: PostgresDatabase): PolicyStore {
  return {
    append: (sandboxId, revision) =>
      database.transaction(async (statements) => {
        // Whoever else appends waits for this row, so that versions have neither gaps nor twins.
        await statements.rows("SELECT 1 FROM sandboxes WHERE id = $1 FOR UPDATE", [sandboxId]);
        const [newest] = await statements.rows(
          "SELECT max(version) AS version FROM policy_revisions WHERE sandbox_id = $1",
          [sandboxId],
        );
        const version = Number(newest?.["version"] ?? 0) + 1;
        await insertRevision(statements, { sandboxId, version }, revision);
        return version;
      }),
    async get(sandboxId, version) {
      const [row] = await database.rows("SELECT * FROM policy_revisions WHERE sandbox_id = $1 AND version = $2", [
        sandboxId,
        version,
      ]);
      return row && fromRow(row);
    },
    async effective(sandboxId) {
      const [row] = await database.rows(
        "SELECT * FROM policy_revisions WHERE sandbox_id = $1 AND status <> $2 ORDER BY version DESC LIMIT 1",
        [sandboxId, PolicyStatus.FAILED],
      );
      return row && fromRow(row);
    },
    async list(sandboxId, { limit, offset }) {
      const rows = await database.rows(
        "SELECT * FROM policy_revisions WHERE sandbox_id = $1 ORDER BY version DESC LIMIT $2 OFFSET $3",
        [sandboxId, limit, offset],
      );
      return rows.map(fromRow);
    },
    markLoaded: (sandboxId, version, atMs) =>
      database.transaction(async ({ changes }) => {
        await changes(
          `UPDATE policy_revisions SET status = $1, load_error = '', loaded_at_ms = $2
           WHERE sandbox_id = $3 AND version = $4`,
          [PolicyStatus.LOADED, atMs, sandboxId, version],
        );
        await changes(
          "UPDATE policy_revisions SET status = $1 WHERE sandbox_id = $2 AND version < $3 AND status IN ($4, $5)",
          [PolicyStatus.SUPERSEDED, sandboxId, version, PolicyStatus.LOADED, PolicyStatus.PENDING],
        );
      }),
    async markFailed(sandboxId, version, error) {
      await database.changes(
        "UPDATE policy_revisions SET status = $1, load_error = $2 WHERE sandbox_id = $3 AND version = $4",
        [PolicyStatus.FAILED, error, sandboxId, version],
      );
    },
  };
}

/** Adds a pending revision; part of whatever transaction is under way. */
export async function insertRevision(
  { changes }: Statements,
  { sandboxId, version }: { readonly sandboxId: string; readonly version: number },
  { hash, policy, createdAtMs, provenance }: NewPolicyRevision,
): Promise<void> {
  await changes(
    `INSERT INTO policy_revisions
       (sandbox_id, version, hash, policy, status, load_error, created_at_ms, loaded_at_ms, provenance)
     VALUES ($1, $2, $3, $4, $5, '', $6, 0, $7)`,
    [
      sandboxId,
      version,
      hash,
      toBinary(SandboxPolicySchema, policy),
      PolicyStatus.PENDING,
      createdAtMs,
      JSON.stringify(provenance),
    ],
  );
}

function fromRow(row: Row): PolicyRevisionRecord {
  return {
    version: Number(row["version"]),
    hash: String(row["hash"]),
    policy: fromBinary(SandboxPolicySchema, row["policy"] as Uint8Array),
    status: row["status"] as PolicyStatus,
    loadError: String(row["load_error"]),
    createdAtMs: Number(row["created_at_ms"]),
    loadedAtMs: Number(row["loaded_at_ms"]),
    provenance: row["provenance"] as Record<string, string>,
  };
}
