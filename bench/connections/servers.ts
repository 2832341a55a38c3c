/** What the clients connect to: servers on the machine's loopback, in this process, which has nothing else to do then. */
import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { issueLeaf } from "../../e2e/support/certificates.ts";
import type { Authority } from "../support/authority.ts";
import type { Missing } from "../support/line.ts";

/** The name by which a sandbox reaches this machine. */
export const host = "host.openshell.internal";
export const loopback = "127.0.0.1";

export interface Servers extends AsyncDisposable {
  /** Ports of the three; `https` only with an authority. */
  readonly ports: { readonly tcp: number; readonly http: number; readonly https?: number };
}

/** Sent in pieces of this size: large answers must not be measured by how fast this process concatenates. */
const piece = Buffer.alloc(64 * 1024, "x");

export async function startServers(authority: Authority | Missing): Promise<Servers> {
  const tcp = createServer(answerBytes);
  const plain = createHttpServer(answerRequest);
  const leaf = "missing" in authority ? undefined : issueLeaf(authority, { names: [`DNS:${host}`] });
  const tls = leaf && createHttpsServer({ cert: leaf.certificate, key: leaf.key }, answerRequest);
  const servers = [tcp, plain, ...(tls ? [tls] : [])];
  const sockets = new Set<Socket>();
  for (const server of servers) {
    server.on("connection", (socket: Socket) => {
      sockets.add(socket.setNoDelay(true));
      socket.once("close", () => sockets.delete(socket));
    });
  }
  const [tcpPort = 0, httpPort = 0, httpsPort] = await Promise.all(servers.map(listen));
  return {
    ports: { tcp: tcpPort, http: httpPort, ...(httpsPort !== undefined && { https: httpsPort }) },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, loopback);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** A line with a number is answered with so many bytes. */
function answerBytes(socket: Socket): void {
  socket.on("error", () => socket.destroy());
  socket.once("data", (line: Buffer) => send(socket, Number(line.toString())));
}

/** `/N` is answered with N bytes. */
const answerRequest: RequestListener = (request, response) => {
  const bytes = Number(request.url?.slice(1));
  response.setHeader("content-length", bytes);
  send(response, bytes);
};

/** A client that leaves in the middle has all it wants. */
function send(to: Writable, bytes: number): void {
  pipeline(Readable.from(pieces(bytes), { objectMode: false }), to).catch(() => to.destroy());
}

function* pieces(bytes: number): Generator<Buffer> {
  for (let rest = bytes; rest > 0; rest -= piece.length) yield rest >= piece.length ? piece : piece.subarray(0, rest);
}
