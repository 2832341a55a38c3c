/**
 * A connection to the gateway: over its Unix socket, or by TLS to its port where the supervisor is on another machine. What
 * is said on it is the same (docs/api.md).
 */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { GatewayAddress } from "./launch-spec.ts";

/** The gateway's certificate has this name, wherever it is: its authority vouches for no other server. */
const CERTIFICATE_NAME = "localhost";
/** A peer whose machine is gone says nothing; without this a channel would wait for it for ever. */
const KEEP_ALIVE_MS = 30_000;

/** Returns at once; what is written before it is connected follows then. */
export function dialGateway(address: GatewayAddress, { allowHalfOpen }: { readonly allowHalfOpen: boolean }): Socket {
  if ("socketPath" in address) return connect({ path: address.socketPath, allowHalfOpen });
  const { host, port, authority } = address;
  const socket = connectTls({
    ...{ host, port, ca: authority, allowHalfOpen },
    servername: CERTIFICATE_NAME,
    minVersion: "TLSv1.3",
  });
  return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
}

/** What such a connection says once what is written to it can arrive. */
export function connectedEvent(address: GatewayAddress): "connect" | "secureConnect" {
  return "socketPath" in address ? "connect" : "secureConnect";
}
