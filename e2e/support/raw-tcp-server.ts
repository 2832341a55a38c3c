/** A TCP server of the world that speaks no HTTP: it says something first if it is told to, and remembers what it hears. */
import { createServer, type Socket } from "node:net";
import { type HostName, hosts } from "./names.ts";

export interface RawTcpServer extends AsyncDisposable {
  /** What each connection has sent so far, in the order they were accepted. */
  readonly heard: readonly Buffer[];
}

export interface RawTcpServerOptions {
  readonly host: HostName;
  readonly port: number;
  /** Sent as soon as a connection is accepted, as SSH and SMTP servers do. */
  readonly greeting?: string;
  /** Called with each piece that is heard. Default: it is sent back. */
  readonly respond?: (socket: Socket, piece: Buffer) => void;
}

export async function startRawTcpServer(options: RawTcpServerOptions): Promise<RawTcpServer> {
  const heard: Buffer[] = [];
  const sockets = new Set<Socket>();
  const respond = options.respond ?? ((socket, piece) => socket.write(piece));
  const server = createServer((socket) => {
    const index = heard.push(Buffer.alloc(0)) - 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // A client that resets the connection is what some tests are about.
    socket.on("error", () => {});
    socket.on("data", (piece: Buffer) => {
      heard[index] = Buffer.concat([heard[index] ?? Buffer.alloc(0), piece]);
      respond(socket, piece);
    });
    if (options.greeting !== undefined) socket.write(options.greeting);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, hosts[options.host][0], resolve);
  });
  return {
    heard,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
