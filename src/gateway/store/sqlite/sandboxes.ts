import type { DatabaseSync } from "node:sqlite";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { SandboxSpecSchema, SandboxStatusSchema } from "../../../gen/openshell/v1/sandbox_pb.ts";
import type { DesiredState, SandboxRecord, SandboxStore } from "../store.ts";
import { inTransaction } from "./database.ts";
import { insertRevision } from "./policies.ts";

type Row = Record<string, unknown>;

/** Sandboxes in SQLite. `onRemove` is called inside `remove`, for what other databases keep of a sandbox. */
export function sqliteSandboxes(database: DatabaseSync, onRemove: (id: string) => void): SandboxStore {
  const insert = database.prepare(
    `INSERT INTO sandboxes (id, workspace, name, created_at_ms, labels, annotations, resource_version, desired, spec,
       status, token_hash, host_uid, supervisor)
     VALUES ($id, $workspace, $name, $createdAtMs, $labels, $annotations, $resourceVersion, $desired, $spec,
       $status, $tokenHash, $hostUid, $supervisor)
     ON CONFLICT (workspace, name) DO NOTHING`,
  );
  const replace = database.prepare(
    `UPDATE sandboxes SET labels = $labels, annotations = $annotations, resource_version = $resourceVersion + 1,
       desired = $desired, spec = $spec, status = $status, token_hash = $tokenHash, host_uid = $hostUid,
       supervisor = $supervisor
     WHERE id = $id AND resource_version = $resourceVersion`,
  );
  const byId = database.prepare("SELECT * FROM sandboxes WHERE id = ?");
  const byName = database.prepare("SELECT * FROM sandboxes WHERE workspace = ? AND name = ?");
  const byWorkspace = database.prepare("SELECT * FROM sandboxes WHERE workspace = ? ORDER BY created_at_ms, id");
  const everything = database.prepare("SELECT * FROM sandboxes ORDER BY created_at_ms, id");
  const remove = database.prepare("DELETE FROM sandboxes WHERE id = ?");

  return {
    async create(record, policy) {
      return inTransaction(database, () => {
        const { changes } = insert.run({ ...columns(record), ...fixedColumns(record) });
        if (changes === 0) return false;
        insertRevision(database, { sandboxId: record.id, version: 1 }, policy);
        return true;
      });
    },
    async get(id) {
      return optional(byId.get(id));
    },
    async getByName(workspace, name) {
      return optional(byName.get(workspace, name));
    },
    async list({ workspace, limit, offset, labels }) {
      const found = (workspace === undefined ? everything.all() : byWorkspace.all(workspace)).map(fromRow);
      const wanted = [...labels];
      return found
        .filter((record) => wanted.every(([key, value]) => record.labels[key] === value))
        .slice(offset, offset + limit);
    },
    async all() {
      return everything.all().map(fromRow);
    },
    async update(record) {
      const { changes } = replace.run(columns(record));
      return changes === 0 ? undefined : { ...record, resourceVersion: record.resourceVersion + 1 };
    },
    async remove(id) {
      remove.run(id);
      onRemove(id);
    },
  };
}

/** What an update may change, and what it is found by. */
function columns(record: SandboxRecord) {
  return {
    $id: record.id,
    $labels: JSON.stringify(record.labels),
    $annotations: JSON.stringify(record.annotations),
    $resourceVersion: record.resourceVersion,
    $desired: record.desired,
    $spec: toBinary(SandboxSpecSchema, record.spec),
    $status: toBinary(SandboxStatusSchema, record.status),
    $tokenHash: record.tokenHash,
    $hostUid: record.hostUid ?? null,
    $supervisor: record.supervisor === undefined ? null : JSON.stringify(record.supervisor),
  };
}

function fixedColumns(record: SandboxRecord) {
  return {
    $workspace: record.workspace,
    $name: record.name,
    $createdAtMs: record.createdAtMs,
  };
}

function optional(row: Row | undefined): SandboxRecord | undefined {
  return row && fromRow(row);
}

function fromRow(row: Row): SandboxRecord {
  return {
    id: String(row["id"]),
    workspace: String(row["workspace"]),
    name: String(row["name"]),
    createdAtMs: Number(row["created_at_ms"]),
    labels: JSON.parse(String(row["labels"])),
    annotations: JSON.parse(String(row["annotations"])),
    resourceVersion: Number(row["resource_version"]),
    desired: row["desired"] as DesiredState,
    spec: fromBinary(SandboxSpecSchema, row["spec"] as Uint8Array),
    status: fromBinary(SandboxStatusSchema, row["status"] as Uint8Array),
    tokenHash: row["token_hash"] as Uint8Array,
    ...(row["host_uid"] !== null && { hostUid: Number(row["host_uid"]) }),
    ...(row["supervisor"] !== null && { supervisor: JSON.parse(String(row["supervisor"])) }),
  };
}
