import type { Resource, ResourceKind, ResourceStore } from "../resource-store.ts";
import type { PostgresDatabase, Row } from "./database.ts";

/** The resources of one kind in PostgreSQL. */
export function postgresResources<T>(database: PostgresDatabase, kind: ResourceKind): ResourceStore<T> {
  return {
    async create({ workspace, name, id, createdAtMs, resourceVersion, body }) {
      const added = await database.changes(
        `INSERT INTO resources (kind, workspace, name, id, created_at_ms, resource_version, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (kind, workspace, name) DO NOTHING`,
        [kind, workspace, name, id, createdAtMs, resourceVersion, JSON.stringify(body)],
      );
      return added > 0;
    },
    async get(workspace, name) {
      const [row] = await database.rows("SELECT * FROM resources WHERE kind = $1 AND workspace = $2 AND name = $3", [
        kind,
        workspace,
        name,
      ]);
      return row && fromRow<T>(row);
    },
    async list({ workspace, limit, offset }) {
      const rows = await database.rows(
        `SELECT * FROM resources WHERE kind = $1 AND ($2::text IS NULL OR workspace = $2)
         ORDER BY workspace, name LIMIT $3 OFFSET $4`,
        [kind, workspace ?? null, limit, offset],
      );
      return rows.map((row) => fromRow<T>(row));
    },
    async update(resource) {
      const { workspace, name, id, resourceVersion, body } = resource;
      const changed = await database.changes(
        `UPDATE resources SET body = $1, resource_version = resource_version + 1
         WHERE kind = $2 AND workspace = $3 AND name = $4 AND id = $5 AND resource_version = $6`,
        [JSON.stringify(body), kind, workspace, name, id, resourceVersion],
      );
      return changed === 0 ? undefined : { ...resource, resourceVersion: resourceVersion + 1 };
    },
    async remove(workspace, name) {
      const removed = await database.changes("DELETE FROM resources WHERE kind = $1 AND workspace = $2 AND name = $3", [
        kind,
        workspace,
        name,
      ]);
      return removed > 0;
    },
  };
}

function fromRow<T>(row: Row): Resource<T> {
  return {
    id: String(row["id"]),
    workspace: String(row["workspace"]),
    name: String(row["name"]),
    createdAtMs: Number(row["created_at_ms"]),
    resourceVersion: Number(row["resource_version"]),
    body: row["body"] as T,
  };
}
