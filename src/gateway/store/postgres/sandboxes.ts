import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { SandboxSpecSchema, SandboxStatusSchema } from "../../../gen/openshell/v1/sandbox_pb.ts";
import type { DesiredState, SandboxRecord, SandboxStore } from "../store.ts";
import type { PostgresDatabase, Row } from "./database.ts";
import { insertRevision } from "./policies.ts";

/** Sandboxes in PostgreSQL. */
export function postgresSandboxes(database: PostgresDatabase): SandboxStore {
  return {
    create: (record, policy) =>
      database.transaction(async (statements) => {
        const added = await statements.changes(
          `INSERT INTO sandboxes (id, labels, annotations, resource_version, desired, spec, status, token_hash, supervisor,
             host_uid, workspace, name, created_at_ms)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (workspace, name) DO NOTHING`,
          [...columns(record), record.workspace, record.name, record.createdAtMs],
        );
        if (added === 0) return false;
        await insertRevision(statements, { sandboxId: record.id, version: 1 }, policy);
        return true;
      }),
    async get(id) {
      return first(await database.rows("SELECT * FROM sandboxes WHERE id = $1", [id]));
    },
    async getByName(workspace, name) {
      return first(
        await database.rows("SELECT * FROM sandboxes WHERE workspace = $1 AND name = $2", [workspace, name]),
      );
    },
    async list({ workspace, limit, offset, labels }) {
      const rows = await database.rows(
        `SELECT * FROM sandboxes WHERE ($1::text IS NULL OR workspace = $1) AND labels @> $2
         ORDER BY created_at_ms, id LIMIT $3 OFFSET $4`,
        [workspace ?? null, JSON.stringify(Object.fromEntries(labels)), limit, offset],
      );
      return rows.map(fromRow);
    },
    async all() {
      return (await database.rows("SELECT * FROM sandboxes ORDER BY created_at_ms, id")).map(fromRow);
    },
    async update(record) {
      const changed = await database.changes(
        `UPDATE sandboxes SET labels = $2, annotations = $3, resource_version = $4::bigint + 1, desired = $5, spec = $6,
           status = $7, token_hash = $8, supervisor = $9, host_uid = $10
         WHERE id = $1 AND resource_version = $4`,
        columns(record),
      );
      return changed === 0 ? undefined : { ...record, resourceVersion: record.resourceVersion + 1 };
    },
    remove: (id) =>
      database.transaction(async ({ changes }) => {
        await changes("DELETE FROM sandboxes WHERE id = $1", [id]);
        await changes("DELETE FROM log_lines WHERE sandbox_id = $1", [id]);
      }),
  };
}

/** What a record is found by, and what an update may change, in the order of both statements. */
function columns(record: SandboxRecord): unknown[] {
  return [
    record.id,
    JSON.stringify(record.labels),
    JSON.stringify(record.annotations),
    record.resourceVersion,
    record.desired,
    toBinary(SandboxSpecSchema, record.spec),
    toBinary(SandboxStatusSchema, record.status),
    record.tokenHash,
    record.supervisor === undefined ? null : JSON.stringify(record.supervisor),
    record.hostUid ?? null,
  ];
}

function first([row]: readonly Row[]): SandboxRecord | undefined {
  return row && fromRow(row);
}

function fromRow(row: Row): SandboxRecord {
  return {
    id: String(row["id"]),
    workspace: String(row["workspace"]),
    name: String(row["name"]),
    createdAtMs: Number(row["created_at_ms"]),
    labels: row["labels"] as Record<string, string>,
    annotations: row["annotations"] as Record<string, string>,
    resourceVersion: Number(row["resource_version"]),
    desired: row["desired"] as DesiredState,
    spec: fromBinary(SandboxSpecSchema, row["spec"] as Uint8Array),
    status: fromBinary(SandboxStatusSchema, row["status"] as Uint8Array),
    tokenHash: row["token_hash"] as Uint8Array,
    ...(row["host_uid"] !== null && { hostUid: Number(row["host_uid"]) }),
    ...(row["supervisor"] !== null && { supervisor: row["supervisor"] as NonNullable<SandboxRecord["supervisor"]> }),
  };
}
