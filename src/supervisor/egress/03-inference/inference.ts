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
import { type FirstBytes, type Identified, isRefusal, type Refusal } from "../connection.ts";
import type { LiveConnection } from "../live-connections.ts";
import { refuseConnection } from "../refuse.ts";
import type { InferenceContext } from "./context.ts";
import type { Http2Callers } from "./http2-session.ts";
import { serveCallers } from "./session.ts";

const ports = [443, 80];

/** What cuts a connection, and what its HTTP/2 streams are counted in. */
type Live = Pick<LiveConnection, "signal" | "streams">;

/** Serves one connection to its end. */
export async function serveInference(
  connection: Identified,
  context: InferenceContext,
  live: Live,
): Promise<SessionEnd> {
  const { port } = connection.destination;
  if (!ports.includes(port)) {
    const detail = `inference.local is on the ports 443 and 80, not on ${port}`;
    return refuse(connection, { refused: "inference.unknown_request", detail }, context);
  }
  if (connection.awaiting === "response") {
    return serveCallers({ connection, client: connection.stream, scheme: "http", ...live }, context);
  }
  if (connection.awaiting === "connect-answer") {
    connection.stream.write("HTTP/1.1 200 Connection Established\r\n\r\n", "latin1");
  }
  const opened = { ...connection, awaiting: "nothing", inspected: true, rule: "inference" } as const;
  const peeked = await peek(opened);
  if (isRefusal(peeked)) return refuse(opened, peeked, context);
  const callers = { connection: opened, client: connection.stream, scheme: "http", ...live } as const;
  if (peeked.protocol === "http") return serveCallers(callers, context);
  if (peeked.protocol === "http2") return serveStreams(callers, context);
  return serveTls(peeked, context, live);
}

async function serveTls(
  peeked: Identified & FirstBytes & { readonly rule: string },
  context: InferenceContext,
  live: Live,
): Promise<SessionEnd> {
  const mismatch = nameMismatch(peeked);
  const { host } = peeked.destination;
  const version = peeked.alpn?.includes("h2") ? "h2" : "http/1.1";
  const client = await acceptClient(peeked.stream, context.authority.contextFor(host), {
    signal: live.signal,
    version,
  });
  if (client.kind === "rejected") {
    const detail = `${host}: the program gave up: ${client.why}`;
    return refuse(peeked, { refused: "terminate.client_rejected", detail }, context);
  }
  if (mismatch !== undefined) return refuse(peeked, { ...mismatch, answerOn: client.stream }, context);
  const callers = { connection: peeked, client: client.stream, scheme: "https", ...live } as const;
  const end = await (version === "h2" ? serveStreams(callers, context) : serveCallers(callers, context));
  peeked.stream.destroy();
  return end;
}

/** HTTP/2, which is loaded when somebody speaks it: most callers do not. */
async function serveStreams(callers: Http2Callers, context: InferenceContext): Promise<SessionEnd> {
  const { serveHttp2Callers } = await import("./http2-session.ts");
  await serveHttp2Callers(callers, context);
  return "closed";
}

async function refuse(connection: Identified, refusal: Refusal, context: InferenceContext): Promise<SessionEnd> {
  await refuseConnection(connection, refusal, context);
  return "closed";
}
