/**
 * A port of a gateway that is one of several replicas. What connects is passed on, byte for byte, to the replica that leads; is
 * held while none does; and is served here once this one leads. Nothing is read of it before: TLS is between the client and the
 * leader, and no replica need trust another.
 */
import type { Http2SecureServer } from "node:http2";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { joinStreams } from "../../net/join-streams.ts";
import { closable } from "../server/closable.ts";
import { listening } from "../server/listen.ts";

export interface PortAddress {
  readonly host: string;
  readonly port: number;
}

/** A leader that has gone has a successor within a second; one that is frozen, or whose host is, once its term has expired. */
const HOLD_MS = 30_000;
/** Between looks whether somebody leads. */
const RETRY_MS = 100;
/** Replicas are near each other; one that does not answer by then is away. */
const CONNECT_TIMEOUT_MS = 2_000;
/** As many as the API takes itself. */
const MAX_CONNECTIONS = 4_096;

export class ReplicaPort {
  readonly #listener: Server;
  readonly #close: () => Promise<void>;
  #leader: PortAddress | undefined;
  #served: Server | Http2SecureServer | undefined;

  /** `allowHalfOpen`: whether each direction of a connection ends by itself, as the server that this one is for wants it. */
  constructor({ allowHalfOpen }: { readonly allowHalfOpen: boolean }) {
    const options = { allowHalfOpen, pauseOnConnect: true, noDelay: true, keepAlive: true };
    this.#listener = createServer(options, (socket) => void this.#take(socket));
    this.#listener.maxConnections = MAX_CONNECTIONS;
    this.#close = closable(this.#listener);
  }

  /** Gives the port: a free one for 0. Rejects when it is taken. */
  async listen({ host, port }: PortAddress): Promise<number> {
    await listening(this.#listener, () => this.#listener.listen(port, host));
    return this.#port();
  }

  /** Who leads; undefined: nobody, as far as anybody knows. */
  passTo(leader: PortAddress | undefined): void {
    this.#leader = leader;
  }

  /** From now on connections are `server`'s, those that are held among them. Gives the port. */
  serve(server: Server | Http2SecureServer): number {
    this.#served = server;
    return this.#port();
  }

  /** In bounded time, as closable() has it. */
  close(): Promise<void> {
    return this.#close();
  }

  #port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  async #take(socket: Socket): Promise<void> {
    socket.on("error", () => socket.destroy());
    const deadline = Date.now() + HOLD_MS;
    while (!socket.destroyed && Date.now() < deadline) {
      if (this.#served !== undefined) return hand(socket, this.#served);
      const leader = this.#leader && (await connected(this.#leader, socket.allowHalfOpen));
      if (leader !== undefined) return joinStreams(socket, leader);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    socket.destroy();
  }
}

/** As Node has it for connections that a server has not accepted itself. */
function hand(socket: Socket, server: Server | Http2SecureServer): void {
  server.emit("connection", socket);
  socket.resume();
}

/** Undefined when nobody is there. */
function connected({ host, port }: PortAddress, allowHalfOpen: boolean): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, allowHalfOpen, noDelay: true, keepAlive: true });
    const timer = setTimeout(() => socket.destroy(), CONNECT_TIMEOUT_MS);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      clearTimeout(timer);
      resolve(undefined);
    });
    socket.once("connect", () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}
