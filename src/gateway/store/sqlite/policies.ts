import type { DatabaseSync } from "node:sqlite";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { SandboxPolicySchema } from "../../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { PolicyStatus } from "../../../gen/openshell/v1/policy_pb.ts";
import type { NewPolicyRevision, PolicyRevisionRecord, PolicyStore } from "../store.ts";
import { inTransaction } from "./database.ts";

/** Policy revisions in SQLite. */
export function sqlitePolicies(database: DatabaseSync): PolicyStore {
  const newest = database.prepare("SELECT max(version) AS version FROM policy_revisions WHERE sandbox_id = ?");
  const one = database.prepare("SELECT * FROM policy_revisions WHERE sandbox_id = ? AND version = ?");
  const effective = database.prepare(
    "SELECT * FROM policy_revisions WHERE sandbox_id = ? AND status <> ? ORDER BY version DESC LIMIT 1",
  );
  const page = database.prepare(
    "SELECT * FROM policy_revisions WHERE sandbox_id = ? ORDER BY version DESC LIMIT ? OFFSET ?",
  );
  const load = database.prepare(
    "UPDATE policy_revisions SET status = ?, load_error = '', loaded_at_ms = ? WHERE sandbox_id = ? AND version = ?",
  );
  const supersede = database.prepare(
    "UPDATE policy_revisions SET status = ? WHERE sandbox_id = ? AND version < ? AND status IN (?, ?)",
  );
  const fail = database.prepare(
    "UPDATE policy_revisions SET status = ?, load_error = ? WHERE sandbox_id = ? AND version = ?",
  );

  return {
    async append(sandboxId, revision) {
      return inTransaction(database, () => {
        const version = Number(newest.get(sandboxId)?.["version"] ?? 0) + 1;
        insertRevision(database, { sandboxId, version }, revision);
        return version;
      });
    },
    async get(sandboxId, version) {
      const row = one.get(sandboxId, version);
      return row && fromRow(row);
    },
    async effective(sandboxId) {
      const row = effective.get(sandboxId, PolicyStatus.FAILED);
      return row && fromRow(row);
    },
    async list(sandboxId, { limit, offset }) {
      return page.all(sandboxId, limit, offset).map(fromRow);
    },
    async markLoaded(sandboxId, version, atMs) {
      inTransaction(database, () => {
        load.run(PolicyStatus.LOADED, atMs, sandboxId, version);
        supersede.run(PolicyStatus.SUPERSEDED, sandboxId, version, PolicyStatus.LOADED, PolicyStatus.PENDING);
      });
    },
    async markFailed(sandboxId, version, error) {
      fail.run(PolicyStatus.FAILED, error, sandboxId, version);
    },
  };
}

/** Adds a pending revision; part of whatever transaction is under way. */
export function insertRevision(
  database: DatabaseSync,
  { sandboxId, version }: { readonly sandboxId: string; readonly version: number },
  { hash, policy, createdAtMs, provenance }: NewPolicyRevision,
): void {
  database
    .prepare("INSERT INTO policy_revisions VALUES (?, ?, ?, ?, ?, '', ?, 0, ?)")
    .run(
      sandboxId,
      version,
      hash,
      toBinary(SandboxPolicySchema, policy),
      PolicyStatus.PENDING,
      createdAtMs,
      JSON.stringify(provenance),
    );
}

function fromRow(row: Record<string, unknown>): PolicyRevisionRecord {
  return {
    version: Number(row["version"]),
    hash: String(row["hash"]),
    policy: fromBinary(SandboxPolicySchema, row["policy"] as Uint8Array),
    status: row["status"] as PolicyStatus,
    loadError: String(row["load_error"]),
    createdAtMs: Number(row["created_at_ms"]),
    loadedAtMs: Number(row["loaded_at_ms"]),
    provenance: JSON.parse(String(row["provenance"])),
  };
}
