/**
 * GraphQL over HTTP: which operations does a request ask for?
 * Takes  a whole request on an endpoint with `protocol: graphql`.
 * Gives  an operation, or the id of one that the server knows, for each request of a batch.
 * Refuses inspect.invalid_graphql, and inspect.ambiguous where servers would run different operations.
 * Assumes the parameters of the URL are decoded and the body is in no content coding.
 */
import { parseStrictJson, parseStrictJsonText, type StrictJson } from "../../../../net/strict-json.ts";
import type { GraphqlRequest } from "../../../../policy/verdict.ts";
import { type ContentResult, mediaType, type Unreadable, type WholeRequest } from "../content.ts";
import {
  ambiguousGraphql,
  invalidGraphql,
  readGraphqlDocument,
  readGraphqlPayload,
  requestKeys,
} from "./read-payload.ts";

/** Requests in one batch. Clients that batch send what one page needs; servers allow fewer. */
const largestBatch = 100;

/** Reads all operations of a request. */
export function readGraphqlRequest(request: WholeRequest): Promise<ContentResult> | ContentResult {
  return request.facts.method === "POST" ? readPost(request) : readGet(request);
}

async function readGet({ facts, body }: WholeRequest): Promise<ContentResult> {
  if (body.length > 0) return ambiguousGraphql(`a ${facts.method} with a body, which some servers read`);
  const payload = new Map<string, StrictJson>();
  for (const [name, value] of facts.query) {
    if (!isRequestKey(name)) continue;
    if (payload.has(name)) return ambiguousGraphql(`two parameters ${name}`);
    const extensions = name === "extensions" ? parseStrictJsonText(value) : undefined;
    if (extensions?.ok === false) return invalidGraphql(`extensions with ${extensions.detail}`);
    payload.set(name, extensions?.value ?? value);
  }
  const read = await readGraphqlPayload(payload);
  if ("ok" in read) return read;
  // A GET must change nothing, and what runs a mutation for one can be made to by a mere link.
  if ("operationType" in read && read.operationType !== "query") {
    return invalidGraphql(`a ${read.operationType} in a ${facts.method}`);
  }
  return { ok: true, facts: { graphql: [read] } };
}

function readPost(request: WholeRequest): Promise<ContentResult> | Unreadable {
  // Some servers prefer the parameters of the URL to those of the body.
  const inUrl = request.facts.query.find(([name]) => isRequestKey(name));
  if (inUrl !== undefined) return ambiguousGraphql(`a parameter ${inUrl[0]} in the URL of a POST`);
  switch (mediaType(request.fieldValues)) {
    case "application/json":
      return readJson(request.body);
    case "application/graphql":
      return readBareDocument(request.body);
    default:
      return invalidGraphql("contents in neither application/json nor application/graphql, in UTF-8");
  }
}

async function readBareDocument(body: Buffer): Promise<ContentResult> {
  let document: string;
  try {
    document = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return invalidGraphql("bytes that are no UTF-8");
  }
  const read = await readGraphqlDocument(document);
  return "ok" in read ? read : { ok: true, facts: { graphql: [read] } };
}

async function readJson(body: Buffer): Promise<ContentResult> {
  const parsed = parseStrictJson(body);
  if (!parsed.ok) return invalidGraphql(parsed.detail);
  const payloads = Array.isArray(parsed.value) ? parsed.value : [parsed.value];
  if (payloads.length === 0) return invalidGraphql("an empty batch");
  if (payloads.length > largestBatch) return invalidGraphql(`a batch of more than ${largestBatch}`);
  const operations: GraphqlRequest[] = [];
  for (const payload of payloads) {
    const read = await readGraphqlPayload(payload);
    if ("ok" in read) return read;
    operations.push(read);
  }
  return { ok: true, facts: { graphql: operations } };
}

function isRequestKey(name: string): boolean {
  return requestKeys.some((key) => key.toLowerCase() === name.toLowerCase());
}
