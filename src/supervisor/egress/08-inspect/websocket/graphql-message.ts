/**
 * One text message of a client that speaks GraphQL over WebSocket, in either of the two sub-protocols.
 * Gives  the operation that it starts, or none: most messages are about the connection, or about one that runs.
 * Refuses inspect.invalid_graphql | inspect.ambiguous, for messages that no sub-protocol has.
 */
import { isJsonObject, parseStrictJson } from "../../../../net/strict-json.ts";
import type { GraphqlRequest } from "../../../../policy/verdict.ts";
import type { Unreadable } from "../content.ts";
import { ambiguousGraphql, invalidGraphql, readGraphqlPayload } from "../graphql/read-payload.ts";
import { given, misspelledKey } from "../json-envelope.ts";

interface Subprotocol {
  /** The type of the message that starts an operation. */
  readonly starts: string;
  /** Types of the others. */
  readonly others: readonly string[];
}

/** By the names that handshakes have for them: that of the graphql-ws package, and the older of Apollo's, which has its name. */
const subprotocols: ReadonlyMap<string | undefined, Subprotocol> = new Map([
  ["graphql-transport-ws", { starts: "subscribe", others: ["connection_init", "ping", "pong", "complete"] }],
  ["graphql-ws", { starts: "start", others: ["connection_init", "stop", "connection_terminate"] }],
]);

export async function readGraphqlMessage(
  text: Buffer,
  subprotocol: string | undefined,
): Promise<readonly GraphqlRequest[] | Unreadable> {
  const spoken = subprotocols.get(subprotocol);
  if (spoken === undefined) return invalidGraphql("a WebSocket without a sub-protocol of GraphQL");
  const parsed = parseStrictJson(text);
  if (!parsed.ok) return invalidGraphql(parsed.detail);
  const message = parsed.value;
  if (!isJsonObject(message)) return invalidGraphql("a message that is no JSON object");
  if (misspelledKey(message, ["type", "payload"]) !== undefined) {
    return ambiguousGraphql("a key in another spelling than the sub-protocol's");
  }
  const type = given(message, "type");
  if (typeof type !== "string") return invalidGraphql("a message without a type");
  if (spoken.others.includes(type)) return [];
  if (type !== spoken.starts) return invalidGraphql("a message of a type that the sub-protocol does not have");
  const payload = given(message, "payload");
  if (payload === undefined) return invalidGraphql("an operation without a payload");
  const request = await readGraphqlPayload(payload);
  return "ok" in request ? request : [request];
}
