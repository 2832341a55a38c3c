/**
 * Step 1, transparent capture: a connection that the packet filter redirected.
 * Takes  a socket that was accepted on the capture listener.
 * Gives  Intercepted: the host that the client meant, by the name its address stands for, else the address.
 * Refuses intercept.malformed_destination, for a client that connected to the capture listener itself.
 * Assumes conntrack in the sandbox's network namespace, which no process of the sandbox can change.
 */
import type { Socket } from "node:net";
import { originalDestination, socketDescriptor } from "../../../linux/original-dst.ts";
import { addressFromBytes } from "../../../net/address-class.ts";
import { type CanonicalHost, hostOfAddress } from "../../../net/canonical-host.ts";
import type { Intercepted, SocketPair } from "../connection.ts";
import type { EgressContext } from "../context.ts";
import type { DecisionPath } from "../decision-path.ts";
import { refuseConnection } from "../refuse.ts";
import { clientSocketPair } from "./client-socket-pair.ts";
import type { SyntheticAddresses } from "./synthetic-addresses.ts";

export interface CaptureContext extends Pick<EgressContext, "sandboxName" | "audit" | "newId" | "now"> {
  readonly names: SyntheticAddresses;
}

interface CapturedDestination {
  readonly host: CanonicalHost;
  /** The address that the client's socket is connected to, as it believes. */
  readonly address: string;
  readonly port: number;
}

/** Serves one captured client to its end. Never rejects. */
export async function serveCapturedClient(socket: Socket, path: DecisionPath, context: CaptureContext): Promise<void> {
  socket.setNoDelay(true);
  socket.on("error", ignore);
  const accepted = clientSocketPair(socket);
  if (accepted === undefined) {
    // The client has gone already.
    socket.destroy();
    return;
  }
  const base = {
    id: context.newId(),
    listener: "transparent",
    awaiting: "nothing",
    stream: socket,
    startedAt: context.now(),
  } as const;
  const captured = capturedDestination(socket, accepted, context.names);
  if (captured === undefined) {
    const { address, port } = accepted.remote;
    const straight = {
      client: accepted,
      destination: { host: address as CanonicalHost, port },
      asked: `${address}:${port}`,
    };
    const detail = "the capture listener was connected to directly";
    await refuseConnection({ ...base, ...straight }, { refused: "intercept.malformed_destination", detail }, context);
    return;
  }
  await path.follow(interceptedFrom(base, accepted, captured));
}

function interceptedFrom(
  base: Omit<Intercepted, "client" | "destination" | "asked">,
  accepted: SocketPair,
  captured: CapturedDestination,
): Intercepted {
  const { host, address, port } = captured;
  // Redirection changed the packets, not the client's socket: the kernel knows it by the address that it asked for.
  const client = { ...accepted, remote: { address, port } };
  return { ...base, client, destination: { host, port }, asked: `${host}:${port}` };
}

/** Undefined if the connection was not redirected. */
function capturedDestination(
  socket: Socket,
  accepted: SocketPair,
  names: SyntheticAddresses,
): CapturedDestination | undefined {
  const fd = socketDescriptor(socket);
  const original = fd === undefined ? undefined : originalDestination(fd, accepted.family);
  if (original === undefined) return undefined;
  const address = addressFromBytes(original.address);
  // For a connection that was not changed, conntrack may name the listener itself.
  if (address.text === accepted.remote.address && original.port === accepted.remote.port) return undefined;
  const host = names.nameOf(original.address) ?? hostOfAddress(address);
  return { host, address: address.text, port: original.port };
}

function ignore(): void {}
