/**
 * Exposed services over HTTP: the Host says which, and each request goes over a channel of its own to the port in the
 * sandbox. Whoever is on this machine may ask, as with any port on loopback; what a web page elsewhere makes a browser ask
 * is refused, since the service believes that it is spoken to from its own pages.
 */
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream";
import { ConnectError } from "@connectrpc/connect";
import type { GatewayContext } from "../context.ts";
import { whenReady } from "../sandboxes/readiness.ts";

/** Clients at a time, of all services. */
const MAX_CONNECTIONS = 512;

/** Between this client and us alone; RFC 9110, section 7.6.1. The body is framed anew where its length is not said. */
const hopByHop = new Set([
  "connection",
  "expect",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** A request that is answered here. */
class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function createServiceServer(context: GatewayContext): Server {
  // As long as a body takes to come: what bounds it is the service's business.
  const server = createServer({ noDelay: true, requestTimeout: 0 }, (request, response) => {
    pass(context, request, response).catch((error: unknown) => refuse(response, error));
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgrade(context, request, { socket, head }).catch((error: unknown) => {
      const { status, message } = refusalOf(error);
      socket.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\n\r\n${message}\n`);
    });
  });
  return server;
}

async function pass(context: GatewayContext, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { "sec-fetch-site": site, "sec-fetch-mode": mode } = request.headers;
  if (site === "cross-site" && mode !== "navigate")
    throw new Refused(403, "this request comes from another site's page");
  const stream = await connectService(context, request, response);
  const headers = [...endToEnd(request.rawHeaders), "Connection", "close"];
  const upstream = httpRequest({
    createConnection: () => stream,
    method: request.method,
    path: request.url,
    headers: request.headers["transfer-encoding"] ? [...headers, "Transfer-Encoding", "chunked"] : headers,
  });
  // A channel is handed out paused, which a socket that Node's client has dialled never is.
  upstream.once("socket", (channel) => channel.resume());
  await new Promise<void>((resolve, reject) => {
    response.once("close", () => stream.destroy());
    upstream.once("error", () => reject(new Refused(502, "the service does not answer")));
    upstream.once("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders));
      pipeline(answer, response, () => resolve());
    });
    pipeline(request, upstream, (error) => error && stream.destroy());
  });
}

/** From here on the bytes mean what the two have agreed on (RFC 9110, section 7.8). */
async function upgrade(
  context: GatewayContext,
  request: IncomingMessage,
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
): Promise<void> {
  socket.on("error", () => {});
  const { origin, host } = request.headers;
  // No browser keeps one site's page from opening a WebSocket to another; that is left to the server.
  if (origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host?.toLowerCase())) {
    throw new Refused(403, "this request comes from another site's page");
  }
  const stream = await connectService(context, request, socket);
  stream.write(`${request.method} ${request.url} HTTP/1.1\r\n`);
  for (const [name, value] of pairs(request.rawHeaders)) stream.write(`${name}: ${value}\r\n`, "latin1");
  stream.write("\r\n");
  stream.write(head);
  pipeline(socket, stream, socket, () => {
    socket.destroy();
    stream.destroy();
  });
}

/** A channel to the service that the request names; ended with its client. Throws Refused. */
async function connectService(context: GatewayContext, request: IncomingMessage, client: Duplex | ServerResponse) {
  const record = await context.exposedServices.byHost(request.headers.host ?? "");
  if (record === undefined) throw new Refused(404, "no service has this name; `openshell service list` shows them");
  const gone = new AbortController();
  client.once("close", () => gone.abort());
  const session = await whenReady(context, record.body.sandboxId, { signal: gone.signal });
  const value = { host: "127.0.0.1", port: record.body.targetPort };
  const { stream } = await session.openChannel({ target: { case: "tcp", value }, serviceId: record.id });
  stream.on("error", () => {});
  if (gone.signal.aborted) stream.destroy();
  return stream;
}

function* pairs(rawHeaders: readonly string[]): Generator<readonly [name: string, value: string]> {
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) yield [rawHeaders[at] ?? "", rawHeaders[at + 1] ?? ""];
}

/** Fields that are for the other end, those left out that the Connection field names. */
function endToEnd(rawHeaders: readonly string[]): string[] {
  const fields = [...pairs(rawHeaders)];
  const named = fields
    .filter(([name]) => name.toLowerCase() === "connection")
    .flatMap(([, value]) => value.toLowerCase().split(","))
    .map((name) => name.trim());
  return fields.filter(([name]) => !hopByHop.has(name.toLowerCase()) && !named.includes(name.toLowerCase())).flat();
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy();
  const { status, message } = refusalOf(error);
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" }).end(`${message}\n`);
}

function refusalOf(error: unknown): { readonly status: number; readonly message: string } {
  if (error instanceof Refused) return error;
  // Why the sandbox cannot be reached, in the API's words; anything else is nobody's business but the log's.
  return { status: 503, message: error instanceof ConnectError ? error.rawMessage : "the sandbox cannot be reached" };
}
