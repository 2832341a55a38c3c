/** What a request's contents ask for, in words for people: for the answer to a client, and for the explanation. */
import type { GraphqlRequest, RequestFacts, RpcMessage } from "./verdict.ts";

/** Operations, and root fields of one, that are named; a batch could otherwise make an answer of any length. */
const namedParts = 4;

/** `mutation CreateIssue: createIssue`, `tools/call delete_repo`; empty if nothing was read in the contents. */
export function namedOperations({ graphql = [], rpc = [] }: Pick<RequestFacts, "graphql" | "rpc">): string {
  return shortList([...graphql.map(namedRequest), ...rpc.map(namedMessage)], "; ");
}

function namedRequest(request: GraphqlRequest): string {
  if ("persisted" in request) return `persisted query ${request.persisted}`;
  const { operationType, operationName, fields } = request;
  return `${operationType}${operationName === "" ? "" : ` ${operationName}`}: ${shortList(fields, ", ")}`;
}

function namedMessage(message: RpcMessage): string {
  if (message.kind === "response") return "a response";
  return message.tool === undefined ? message.method : `${message.method} ${message.tool}`;
}

function shortList(items: readonly string[], separator: string): string {
  const shown = items.slice(0, namedParts).join(separator);
  return items.length > namedParts ? `${shown}${separator}${items.length - namedParts} more` : shown;
}
