/**
 * GraphQL in an envelope of JSON, as HTTP and WebSocket messages carry it: what does one request ask for?
 * Gives  an operation, or the id of one that the server knows.
 * Refuses inspect.invalid_graphql, and inspect.ambiguous where servers would run different operations.
 */
import { createHash } from "node:crypto";
import { isJsonObject, type JsonObject, type StrictJson } from "../../../../net/strict-json.ts";
import type { GraphqlRequest } from "../../../../policy/verdict.ts";
import type { Unreadable } from "../content.ts";
import { given, misspelledKey } from "../json-envelope.ts";

/** What a request can say about its operation. Variables are left out: no rule speaks of them. */
export const requestKeys = ["query", "operationName", "extensions", "id", "documentId"] as const;

interface RequestText {
  readonly query?: string;
  readonly operationName?: string;
  readonly id?: string;
  readonly documentId?: string;
  /** `extensions.persistedQuery.sha256Hash`, as Apollo's clients send it. */
  readonly hash?: string;
}

/** Reads one request. */
export async function readGraphqlPayload(payload: StrictJson): Promise<GraphqlRequest | Unreadable> {
  if (!isJsonObject(payload)) return invalidGraphql("a request that is no JSON object");
  const text = textOf(payload);
  return "ok" in text ? text : readText(text);
}

/** Reads an operation in no envelope. */
export async function readGraphqlDocument(query: string, operationName = ""): Promise<GraphqlRequest | Unreadable> {
  const { readOperation } = await import("./read-operations.ts");
  const read = readOperation(query, operationName);
  return read.ok ? read.operation : invalidGraphql(read.detail);
}

/** Contents that are no GraphQL. */
export function invalidGraphql(detail: string): Unreadable {
  return { ok: false, reason: "inspect.invalid_graphql", detail: `not GraphQL that can be judged: ${detail}` };
}

/** Contents that servers read in different ways. */
export function ambiguousGraphql(detail: string): Unreadable {
  return { ok: false, reason: "inspect.ambiguous", detail };
}

function textOf(envelope: JsonObject): RequestText | Unreadable {
  if (misspelledKey(envelope, requestKeys) !== undefined) {
    return ambiguousGraphql("a key in another spelling than GraphQL's");
  }
  const text: Record<string, string> = {};
  for (const key of ["query", "operationName", "id", "documentId"]) {
    const value = given(envelope, key);
    if (value === undefined) continue;
    if (typeof value !== "string") return invalidGraphql(`${key} that is no string`);
    text[key] = value;
  }
  const hash = persistedHash(given(envelope, "extensions"));
  if (typeof hash === "object") return hash;
  return hash === undefined ? text : { ...text, hash };
}

function persistedHash(extensions: StrictJson | undefined): string | undefined | Unreadable {
  if (extensions === undefined) return undefined;
  if (!isJsonObject(extensions)) return invalidGraphql("extensions that are no object");
  if (misspelledKey(extensions, ["persistedQuery"]) !== undefined) {
    return ambiguousGraphql("extensions in another spelling than Apollo's");
  }
  const persisted = given(extensions, "persistedQuery");
  if (persisted === undefined) return undefined;
  if (!isJsonObject(persisted) || misspelledKey(persisted, ["sha256Hash"]) !== undefined) {
    return invalidGraphql("a persistedQuery that is no such object");
  }
  const hash = given(persisted, "sha256Hash");
  return typeof hash === "string" ? hash : invalidGraphql("a persistedQuery without its sha256Hash");
}

async function readText(text: RequestText): Promise<GraphqlRequest | Unreadable> {
  const { query, hash, id, documentId, operationName } = text;
  const ids = [id, documentId].filter((name) => name !== undefined);
  if (query === undefined) {
    const [persisted, ...others] = hash === undefined ? ids : [...ids, hash];
    if (persisted === undefined) return invalidGraphql("no query");
    return others.length === 0 ? { persisted } : ambiguousGraphql("two ids of a query");
  }
  if (ids.length > 0) return ambiguousGraphql("a query and the id of another");
  // The server would keep the text under this hash, and run it when it is asked for another's.
  if (hash !== undefined && hash !== createHash("sha256").update(query).digest("hex")) {
    return ambiguousGraphql("a query and the hash of another");
  }
  return readGraphqlDocument(query, operationName);
}
