/**
 * Step 3: requests for `inference.local` leave the path here, before policy.
 * Takes  Identified.
 * Gives  the end of the connection: its TLS ends here, its calls are answered by the operator's backends.
 * Refuses inference.unknown_request for other ports; peek.*, terminate.name_mismatch, terminate.client_rejected; inside
 *        HTTP what session.ts refuses.
 * Assumes the host is canonical (01). No policy is needed and none can forbid it: a sandbox that must not use models has
 *        no route. Nothing of a call goes anywhere but to a route's backend.
 */
import { peek } from "../06-peek.ts";
import { acceptClient } from "../07-terminate/client-side.ts";
import { nameMismatch } from "../07-terminate/terminate.ts";
import type { SessionEnd } from "../08-inspect/http1/session.ts";
import { type Identified, isRefusal, type Refusal } from "../connection.ts";
import { refuseConnection } from "../refuse.ts";
import type { InferenceContext } from "./context.ts";
import { serveCallers } from "./session.ts";

const ports = [443, 80];

/** Serves one connection to its end. `signal` cuts it. */
export async function serveInference(
  connection: Identified,
  context: InferenceContext,
  signal: AbortSignal,
): Promise<SessionEnd> {
  const { port } = connection.destination;
  if (!ports.includes(port)) {
    const detail = `inference.local is on the ports 443 and 80, not on ${port}`;
    return refuse(connection, { refused: "inference.unknown_request", detail }, context);
  }
  if (connection.awaiting === "response") {
    return serveCallers({ connection, client: connection.stream, scheme: "http", signal }, context);
  }
  if (connection.awaiting === "connect-answer") {
    connection.stream.write("HTTP/1.1 200 Connection Established\r\n\r\n", "latin1");
  }
  const opened = { ...connection, awaiting: "nothing", inspected: true, rule: "inference" } as const;
  const peeked = await peek(opened);
  if (isRefusal(peeked)) return refuse(opened, peeked, context);
  if (peeked.protocol === "http") {
    return serveCallers({ connection: opened, client: connection.stream, scheme: "http", signal }, context);
  }
  return serveTls(peeked, context, signal);
}

async function serveTls(
  peeked: Identified & { readonly sni?: string; readonly rule: string },
  context: InferenceContext,
  signal: AbortSignal,
): Promise<SessionEnd> {
  const mismatch = nameMismatch(peeked);
  const { host } = peeked.destination;
  const client = await acceptClient(peeked.stream, context.authority.contextFor(host), { signal });
  if (client.kind === "rejected") {
    const detail = `${host}: the program gave up: ${client.why}`;
    return refuse(peeked, { refused: "terminate.client_rejected", detail }, context);
  }
  if (mismatch !== undefined) return refuse(peeked, { ...mismatch, answerOn: client.stream }, context);
  const end = await serveCallers({ connection: peeked, client: client.stream, scheme: "https", signal }, context);
  peeked.stream.destroy();
  return end;
}

async function refuse(connection: Identified, refusal: Refusal, context: InferenceContext): Promise<SessionEnd> {
  await refuseConnection(connection, refusal, context);
  return "closed";
}
