/**
 * GraphQL over HTTP: which operations does a request ask for?
 * Takes  a whole request on an endpoint with `protocol: graphql`.
 * Gives  an operation, or an id of one that the server knows, for each request of a batch.
 * Refuses inspect.invalid_graphql, and inspect.ambiguous where servers would run different operations.
 * Assumes the parameters of the URL are decoded and the body is in no content coding.
 */
import { createHash } from "node:crypto";
import {
  isJsonObject,
  type JsonObject,
  parseStrictJson,
  parseStrictJsonText,
  type StrictJson,
} from "../../../../net/strict-json.ts";
import type { GraphqlRequest } from "../../../../policy/verdict.ts";
import { type ContentResult, mediaType, type Unreadable, type WholeRequest } from "../content.ts";
import { given, misspelledKey } from "../json-envelope.ts";

/** Requests in one batch. Clients that batch send what one page needs; servers allow fewer. */
const largestBatch = 100;

/** What a request can say about its operation. Variables are left out: no rule speaks of them. */
const requestKeys = ["query", "operationName", "extensions", "id", "documentId"] as const;

type RequestText = Partial<Readonly<Record<"query" | "operationName" | "id" | "documentId" | "hash", string>>>;

type ReadText = { readonly ok: true; readonly text: RequestText } | Unreadable;

/** Reads all operations of a request. */
export async function readGraphqlRequest(request: WholeRequest): Promise<ContentResult> {
  const texts = request.facts.method === "POST" ? readPost(request) : readGet(request);
  if (!Array.isArray(texts)) return texts;
  const operations: GraphqlRequest[] = [];
  for (const text of texts) {
    const read = text.ok ? await readOne(text.text) : text;
    if ("ok" in read) return read;
    // GraphQL over HTTP, section "GET": a GET must change nothing, and servers that let it do are open to forged links.
    if (request.facts.method !== "POST" && "operationType" in read && read.operationType !== "query") {
      return invalid(`a ${read.operationType} in a ${request.facts.method}`);
    }
    operations.push(read);
  }
  return { ok: true, facts: { graphql: operations } };
}

function readGet({ facts, body }: WholeRequest): ReadText[] | Unreadable {
  if (body.length > 0) return ambiguous(`a ${facts.method} with a body, which some servers read`);
  const parameters: [string, StrictJson][] = [];
  for (const [name, value] of facts.query) {
    if (!isRequestKey(name)) continue;
    if (parameters.some(([known]) => known === name)) return ambiguous(`two parameters ${name}`);
    const extensions = name === "extensions" ? parseStrictJsonText(value) : undefined;
    if (extensions?.ok === false) return invalid(`extensions with ${extensions.detail}`);
    parameters.push([name, extensions?.value ?? value]);
  }
  return [readEnvelope(new Map(parameters))];
}

function readPost(request: WholeRequest): ReadText[] | Unreadable {
  // Some servers prefer the parameters of the URL to those of the body.
  const inUrl = request.facts.query.find(([name]) => isRequestKey(name));
  if (inUrl !== undefined) return ambiguous(`a parameter ${inUrl[0]} in the URL of a POST`);
  switch (mediaType(request.fieldValues)) {
    case "application/json":
      return readJson(request.body);
    case "application/graphql":
      return readDocument(request.body);
    default:
      return invalid("contents in neither application/json nor application/graphql, in UTF-8");
  }
}

function readDocument(body: Buffer): ReadText[] | Unreadable {
  try {
    return [{ ok: true, text: { query: new TextDecoder("utf-8", { fatal: true }).decode(body) } }];
  } catch {
    return invalid("bytes that are no UTF-8");
  }
}

function readJson(body: Buffer): ReadText[] | Unreadable {
  const parsed = parseStrictJson(body);
  if (!parsed.ok) return invalid(parsed.detail);
  const { value } = parsed;
  const requests = Array.isArray(value) ? value : [value];
  if (requests.length === 0) return invalid("an empty batch");
  if (requests.length > largestBatch) return invalid(`a batch of more than ${largestBatch}`);
  return requests.map((one) => (isJsonObject(one) ? readEnvelope(one) : invalid("a request that is no JSON object")));
}

function readEnvelope(envelope: JsonObject): ReadText {
  const misspelled = misspelledKey(envelope, requestKeys);
  if (misspelled !== undefined) return ambiguous("a key in another spelling than GraphQL's");
  const text: Record<string, string> = {};
  for (const key of ["query", "operationName", "id", "documentId"]) {
    const value = given(envelope, key);
    if (value === undefined) continue;
    if (typeof value !== "string") return invalid(`${key} that is no string`);
    text[key] = value;
  }
  const hash = persistedHash(given(envelope, "extensions"));
  if (typeof hash === "object") return hash;
  return { ok: true, text: hash === undefined ? text : { ...text, hash } };
}

/** `extensions.persistedQuery.sha256Hash`, as Apollo's clients send it. */
function persistedHash(extensions: StrictJson | undefined): string | undefined | Unreadable {
  if (extensions === undefined) return undefined;
  if (!isJsonObject(extensions)) return invalid("extensions that are no object");
  const persisted = given(extensions, "persistedQuery");
  const misspelled = misspelledKey(extensions, ["persistedQuery"]);
  if (misspelled !== undefined) return ambiguous("extensions in another spelling than Apollo's");
  if (persisted === undefined) return undefined;
  if (!isJsonObject(persisted) || misspelledKey(persisted, ["sha256Hash"]) !== undefined) {
    return invalid("a persistedQuery that is no such object");
  }
  const hash = given(persisted, "sha256Hash");
  return typeof hash === "string" ? hash : invalid("a persistedQuery without its sha256Hash");
}

async function readOne(text: RequestText): Promise<GraphqlRequest | Unreadable> {
  const { query, hash, id, documentId, operationName = "" } = text;
  const ids = [id, documentId].filter((name) => name !== undefined);
  if (query === undefined) {
    const [persisted, ...others] = hash === undefined ? ids : [...ids, hash];
    if (persisted === undefined) return invalid("no query");
    return others.length === 0 ? { persisted } : ambiguous("two ids of a query");
  }
  if (ids.length > 0) return ambiguous("a query and the id of another");
  // The server would keep the text under this hash, and run it when it is asked for another's.
  if (hash !== undefined && hash !== createHash("sha256").update(query).digest("hex")) {
    return ambiguous("a query and the hash of another");
  }
  const { readOperation } = await import("./read-operations.ts");
  const read = readOperation(query, operationName);
  return read.ok ? read.operation : invalid(read.detail);
}

function isRequestKey(name: string): boolean {
  return requestKeys.some((key) => key.toLowerCase() === name.toLowerCase());
}

function invalid(detail: string): Unreadable {
  return { ok: false, reason: "inspect.invalid_graphql", detail: `not GraphQL that can be judged: ${detail}` };
}

function ambiguous(detail: string): Unreadable {
  return { ok: false, reason: "inspect.ambiguous", detail };
}
