/**
 * The way in for supervisors on other machines: a port of its own, beside the API's. So a network that holds sandboxes can
 * be kept from everything else of the gateway's.
 */
import { createServer, type Server } from "node:tls";
import type { GatewayCertificates } from "../certificates/gateway-certificates.ts";
import type { GatewayContext } from "../context.ts";
import { takeSupervisor } from "./take-supervisor.ts";

/** A server for supervisors; the caller listens. They know the gateway by its authority, and it knows them by their tokens. */
export function createRemoteLink(context: GatewayContext, certificates: GatewayCertificates): Server {
  const { serverKey: key, serverCertificate: cert } = certificates;
  const server = createServer({
    key,
    cert,
    minVersion: "TLSv1.3",
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
  });
  // Whoever fails to speak TLS is no supervisor of ours.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server.on("secureConnection", (socket) => takeSupervisor(context, socket));
}
