/** A web server of the world that remembers what it was asked. */
import { createServer as createPlainServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import type { TlsOptions } from "node:tls";
import { type Certificate, issueLeaf } from "./certificates.ts";
import { type HostName, hosts } from "./names.ts";
import { world } from "./world.ts";

export interface RecordedRequest {
  readonly method: string;
  /** Request target as it came. */
  readonly target: string;
  /** Name and value in turn, spelled and ordered as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

export interface HttpServer extends AsyncDisposable {
  readonly requests: readonly RecordedRequest[];
  /** TCP connections accepted so far: a refusal that should not have dialled leaves it at 0. */
  readonly connections: () => number;
}

export interface HttpServerOptions {
  readonly host: HostName;
  /** Default: 443 with TLS, 80 without. */
  readonly port?: number;
  /** `false`: plain HTTP. Default: a certificate for `host` from the authority that the world trusts. */
  readonly tls?: Certificate | false;
  /** Default: 200 with a JSON object of what was asked. */
  readonly respond?: RequestListener;
}

export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const requests: RecordedRequest[] = [];
  const listener: RequestListener = (request, response) => {
    const respond = options.respond ?? echo;
    // A handler of the test's own may want the body as it comes; then it is not recorded.
    if (options.respond) requests.push(record(request, ""));
    else void text(request).then((body) => requests.push(record(request, body)), ignore);
    respond(request, response);
  };
  const tls = options.tls ?? leafFor(options.host);
  const server = tls ? createTlsServer(anyCertificate(tls), listener) : createPlainServer(listener);
  const connections = await listen(server, options);
  return {
    requests,
    connections: () => connections.count,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What a server shows may be as weak as a test wants it: who looks at it decides. */
function anyCertificate({ certificate, key }: Certificate): TlsOptions {
  return { cert: certificate, key, ciphers: "DEFAULT:@SECLEVEL=0" };
}

/** A certificate that the world trusts, for a name and its addresses. */
export function leafFor(host: HostName): Certificate {
  return issueLeaf(world().authority, { names: [`DNS:${host}`, ...hosts[host].map((address) => `IP:${address}`)] });
}

async function listen(server: Server, { host, port, tls }: HttpServerOptions): Promise<{ count: number }> {
  const connections = { count: 0 };
  server.on("connection", (_: Socket) => connections.count++);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port ?? (tls === false ? 80 : 443), hosts[host][0], resolve);
  });
  return connections;
}

/** A request that breaks off is none. */
function ignore(): void {}

const echo: RequestListener = (request, response) => {
  const body = JSON.stringify({ method: request.method, target: request.url, host: request.headers.host });
  request.on("end", () => response.writeHead(200, { "content-type": "application/json" }).end(`${body}\n`));
};

function record(request: IncomingMessage, body: string): RecordedRequest {
  return { method: request.method ?? "", target: request.url ?? "", rawHeaders: request.rawHeaders, body };
}
