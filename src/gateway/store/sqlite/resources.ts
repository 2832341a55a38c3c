import type { DatabaseSync } from "node:sqlite";
import type { Resource, ResourceKind, ResourceStore } from "../resource-store.ts";

/** The resources of one kind in SQLite. */
export function sqliteResources<T>(database: DatabaseSync, kind: ResourceKind): ResourceStore<T> {
  const insert = database.prepare(
    `INSERT INTO resources (kind, workspace, name, id, created_at_ms, resource_version, body)
     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, workspace, name) DO NOTHING`,
  );
  const one = database.prepare("SELECT * FROM resources WHERE kind = ? AND workspace = ? AND name = ?");
  const page = database.prepare(
    "SELECT * FROM resources WHERE kind = ? AND workspace = ? ORDER BY name LIMIT ? OFFSET ?",
  );
  const pageOfAll = database.prepare(
    "SELECT * FROM resources WHERE kind = ? ORDER BY workspace, name LIMIT ? OFFSET ?",
  );
  const replace = database.prepare(
    `UPDATE resources SET body = ?, resource_version = resource_version + 1
     WHERE kind = ? AND workspace = ? AND name = ? AND id = ? AND resource_version = ?`,
  );
  const remove = database.prepare("DELETE FROM resources WHERE kind = ? AND workspace = ? AND name = ?");

  return {
    async create({ workspace, name, id, createdAtMs, resourceVersion, body }) {
      const row = [kind, workspace, name, id, createdAtMs, resourceVersion, JSON.stringify(body)] as const;
      return insert.run(...row).changes > 0;
    },
    async get(workspace, name) {
      const row = one.get(kind, workspace, name);
      return row && fromRow<T>(row);
    },
    async list({ workspace, limit, offset }) {
      const rows =
        workspace === undefined ? pageOfAll.all(kind, limit, offset) : page.all(kind, workspace, limit, offset);
      return rows.map((row) => fromRow<T>(row));
    },
    async update(resource) {
      const { workspace, name, id, resourceVersion, body } = resource;
      const { changes } = replace.run(JSON.stringify(body), kind, workspace, name, id, resourceVersion);
      return changes === 0 ? undefined : { ...resource, resourceVersion: resourceVersion + 1 };
    },
    async remove(workspace, name) {
      return remove.run(kind, workspace, name).changes > 0;
    },
  };
}

function fromRow<T>(row: Record<string, unknown>): Resource<T> {
  return {
    id: String(row["id"]),
    workspace: String(row["workspace"]),
    name: String(row["name"]),
    createdAtMs: Number(row["created_at_ms"]),
    resourceVersion: Number(row["resource_version"]),
    body: JSON.parse(String(row["body"])),
  };
}
