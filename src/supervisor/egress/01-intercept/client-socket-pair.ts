/** Names the client's end of an accepted socket, as the kernel's tables inside the sandbox know it. */
import type { Socket } from "node:net";
import type { SocketPair } from "../connection.ts";

/** Undefined if the client has gone and the socket has no addresses any more. */
export function clientSocketPair(accepted: Socket): SocketPair | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = accepted;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  if (localAddress === undefined || localPort === undefined) return undefined;
  return {
    family: accepted.remoteFamily === "IPv6" ? 6 : 4,
    // What is remote to the accepted socket is the client's own.
    local: { address: remoteAddress, port: remotePort },
    remote: { address: localAddress, port: localPort },
  };
}
