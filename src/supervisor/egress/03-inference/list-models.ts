/** Answers to `GET /v1/models`: what the sandbox may ask for, in the words of the caller's API. */
import type { Dialect } from "../../../inference/dialects.ts";
import type { ListedModel, RouteTable } from "../../../inference/route-table.ts";

/** When a model was made is nothing that a route knows; SDKs want a date. */
const created = 0;
const createdAt = "1970-01-01T00:00:00Z";

export function modelList({ models }: RouteTable, dialect: Dialect): object {
  const data = models.map((model) => modelObject(model, dialect));
  if (dialect !== "anthropic_messages") return { object: "list", data };
  return { data, has_more: false, first_id: models.at(0)?.id ?? null, last_id: models.at(-1)?.id ?? null };
}

/** One model by its name; undefined if there is none of that name. */
export function modelByName({ models }: RouteTable, id: string, dialect: Dialect): object | undefined {
  const model = models.find((listed) => listed.id === id);
  return model && modelObject(model, dialect);
}

function modelObject({ id, route }: ListedModel, dialect: Dialect): object {
  if (dialect === "anthropic_messages") return { type: "model", id, display_name: id, created_at: createdAt };
  return { id, object: "model", created, owned_by: route.providerName };
}
