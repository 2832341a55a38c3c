/**
 * What a request's contents ask for, as an event tells it: names, as rules see them, without arguments. An agent chooses
 * how many there are and how long, and must not be able to write the log full with a few requests.
 */
import { isDeepStrictEqual } from "node:util";
import type { GraphqlRequest, RequestFacts, RpcMessage } from "../../policy/verdict.ts";

/** Operations or calls of one request that are logged. */
const shownOperations = 16;

/** Root fields of one operation that are logged. */
const shownFields = 32;

/** Characters of a name that are logged. */
const shownName = 128;

/** For `unmapped`: what OCSF has no place for. `operations_cut` says that there was more. */
export interface OperationFacts extends Pick<RequestFacts, "graphql" | "rpc"> {
  readonly operations_cut?: true;
}

/** Nothing, if nothing was read in the contents. */
export function operationFacts({ graphql = [], rpc = [] }: RequestFacts): OperationFacts {
  const all = { ...(graphql.length > 0 && { graphql }), ...(rpc.length > 0 && { rpc }) };
  const shown = {
    ...(graphql.length > 0 && { graphql: graphql.slice(0, shownOperations).map(shownRequest) }),
    ...(rpc.length > 0 && { rpc: rpc.slice(0, shownOperations).map(shownMessage) }),
  };
  return isDeepStrictEqual(shown, all) ? shown : { ...shown, operations_cut: true };
}

function shownRequest(request: GraphqlRequest): GraphqlRequest {
  if ("persisted" in request) return { persisted: cut(request.persisted) };
  const { operationType, operationName, fields } = request;
  return { operationType, operationName: cut(operationName), fields: fields.slice(0, shownFields).map(cut) };
}

function shownMessage(message: RpcMessage): RpcMessage {
  if (message.kind === "response") return message;
  const { kind, method, tool } = message;
  return { kind, method: cut(method), ...(tool !== undefined && { tool: cut(tool) }) };
}

function cut(name: string): string {
  return name.length <= shownName ? name : `${name.slice(0, shownName)}…`;
}
