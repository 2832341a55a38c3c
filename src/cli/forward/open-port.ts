/** A port of this machine whose connections lead into a sandbox, each on a relay of its own. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Gateway } from "../api/gateway.ts";
import { openRelay, relayFailure } from "../api/relay.ts";
import { CommandFailure } from "../command-failure.ts";
import { localAddress, type PortSpec } from "./port-spec.ts";

export interface Destination {
  readonly sandboxId: string;
  readonly host: string;
  /** The gateway as it can be reached now. */
  readonly gateway: () => Gateway;
  /** Told why a connection could not be carried, or not to its end. */
  readonly onFailure: (error: unknown) => void;
}

export interface OpenPort extends Disposable {
  /** With the port that it has got. */
  readonly spec: PortSpec;
}

/** Listens. Throws CommandFailure when the port can't be had. */
export async function openPort(spec: PortSpec, destination: Destination): Promise<OpenPort> {
  const sockets = new Set<Socket>();
  // Half-open: many programs end what they say, and then wait for the answer.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    carry(socket, spec, destination);
  });
  await listening(server, spec);
  return {
    spec: { ...spec, local: (server.address() as AddressInfo).port },
    [Symbol.dispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function listening(server: Server, spec: PortSpec): Promise<void> {
  server.listen(spec.local, spec.bind);
  try {
    await once(server, "listening");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === "EADDRINUSE" ? "something listens there already" : message;
    throw new CommandFailure(`${localAddress(spec)} can't be forwarded: ${reason}`, {
      hint: `another port of this machine: \`LOCAL:${spec.remote}\`, with 0 for any that is free`,
    });
  }
}

/** Bytes both ways, each direction to its own end; what breaks one side resets the other. */
function carry(socket: Socket, { remote }: PortSpec, { sandboxId, host, gateway, onFailure }: Destination): void {
  const relay = openRelay(gateway(), { sandboxId, target: { kind: "tcp", host, port: remote } });
  relay.on("error", (error) => {
    socket.resetAndDestroy();
    onFailure(relayFailure(error));
  });
  socket.on("error", () => relay.destroy());
  socket.pipe(relay).pipe(socket);
}
