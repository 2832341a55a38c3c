/**
 * Sockets inside the sandbox that the supervisor asks for, since it can't open them from outside: connections to programs
 * that serve on loopback or on a Unix socket, and listeners on loopback. Each has the shape of a program, and so the same
 * frames and the same credit. Init may do no more here than any program of the sandbox.
 */
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from "node:net";
import type { Program, ProgramEvents } from "./program.ts";
import type { Accepted, ConnectRequest, ListenRequest } from "./protocol.ts";

/** Accepted connections that the supervisor has yet to take, of all listeners; more are turned away. */
const MAX_WAITING = 64;

export interface SocketEvents extends ProgramEvents {
  /** The peer says no more, but may go on reading. */
  onOutputEnd(): void;
}

export interface ListenerEvents extends ProgramEvents {
  onAccepted(accepted: Accepted): void;
}

export class Loopback {
  readonly #waiting = new Map<number, Socket>();
  #lastConnection = 0;

  /** @throws NodeJS.ErrnoException when nobody listens there, or the accepted connection has gone */
  async connect(request: ConnectRequest, events: SocketEvents): Promise<Program> {
    const socket = "accepted" in request ? this.#take(request.accepted) : await connected(request);
    return socketProgram(socket.setNoDelay(true), events);
  }

  /** @throws NodeJS.ErrnoException when the port can't be had */
  async listen({ host, port }: ListenRequest, events: ListenerEvents): Promise<Program> {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) =>
      this.#accept(socket, events),
    );
    await listening(server, () => server.listen(port, host));
    return listenerProgram(server, events);
  }

  #accept(socket: Socket, events: ListenerEvents): void {
    const { remoteAddress: host, remotePort: port } = socket;
    if (this.#waiting.size >= MAX_WAITING || host === undefined || port === undefined) return void socket.destroy();
    const connection = ++this.#lastConnection;
    this.#waiting.set(connection, socket);
    socket.on("error", ignore).once("close", () => this.#waiting.delete(connection));
    events.onAccepted({ connection, host, port });
  }

  #take(connection: number): Socket {
    const socket = this.#waiting.get(connection);
    this.#waiting.delete(connection);
    if (socket === undefined) throw Object.assign(new Error("the connection has gone"), { code: "ECONNABORTED" });
    return socket.resume();
  }
}

function connected(target: { readonly host: string; readonly port: number } | { readonly path: string }) {
  return new Promise<Socket>((resolve, reject) => {
    const socket = dial({ ...target, allowHalfOpen: true }, () => resolve(socket.off("error", reject)));
    socket.once("error", reject);
  });
}

function listening(server: Server, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject).once("listening", () => resolve(void server.off("error", reject)));
    start();
  });
}

/** Each direction ends by itself; the connection is over when both have. */
function socketProgram(socket: Socket, events: SocketEvents): Program {
  socket.on("error", ignore);
  socket.on("data", (bytes: Buffer) => events.onOutput("stdout", bytes));
  socket.once("end", () => events.onOutputEnd());
  socket.once("close", (failed) => events.onExit({ code: failed ? 1 : 0, signal: 0 }));
  return {
    pid: process.pid,
    write: (bytes) => {
      if (socket.destroyed) events.onInputTaken(bytes.length);
      else socket.write(bytes, () => events.onInputTaken(bytes.length));
    },
    endInput: () => void socket.end(),
    resize: ignore,
    signal: () => void socket.destroy(),
    pauseOutput: () => void socket.pause(),
    resumeOutput: () => void socket.resume(),
  };
}

function listenerProgram(server: Server, events: ProgramEvents): Program {
  server.once("close", () => events.onExit({ code: 0, signal: 0 }));
  return {
    pid: process.pid,
    port: (server.address() as AddressInfo).port,
    write: ({ length }) => events.onInputTaken(length),
    endInput: ignore,
    resize: ignore,
    signal: () => void server.close(),
    pauseOutput: ignore,
    resumeOutput: ignore,
  };
}

function ignore(): void {}
