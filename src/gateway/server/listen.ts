import { createSecureServer, type Http2SecureServer } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { GatewayCertificates } from "../certificates/gateway-certificates.ts";
import type { GatewayContext } from "../context.ts";
import { apiRoutes } from "../services/openshell/routes.ts";
import { callerOf, requireCaller } from "./caller.ts";
import { hideDefects } from "./hide-defects.ts";

/** Loopback only: the local gateway is nobody else's. */
const HOST = "127.0.0.1";
/** A message is at most a policy or a batch of log lines. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** The API's server: gRPC, gRPC-Web and Connect on one port, over TLS with client certificates. */
export function createApiServer(context: GatewayContext, certificates: GatewayCertificates): Http2SecureServer {
  const handler = connectNodeAdapter({
    routes: apiRoutes(context),
    interceptors: [hideDefects(context.log), requireCaller],
    contextValues: callerOf,
    readMaxBytes: MAX_MESSAGE_BYTES,
    shutdownSignal: context.signal,
    fallback: (request, response) => {
      const isHealth = request.url === "/healthz" && request.method === "GET";
      response.writeHead(isHealth ? 200 : 404, { "content-type": "text/plain" });
      response.end(isHealth ? "ok\n" : "not found\n");
    },
  });
  return createSecureServer(
    {
      allowHTTP1: true,
      key: certificates.serverKey,
      cert: certificates.serverCertificate,
      ca: certificates.authority,
      minVersion: "TLSv1.2",
      requestCert: true,
      // Decided for each RPC (caller.ts), so that health can be asked and the refusal is one that clients understand.
      rejectUnauthorized: false,
    },
    handler,
  );
}

/** Listens on the port, or on a free one where that is taken by something else. Gives the port. */
export async function listenOnPort(server: Http2SecureServer, port: number): Promise<number> {
  try {
    await listening(server, () => server.listen(port, HOST));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    await listening(server, () => server.listen(0, HOST));
  }
  return (server.address() as AddressInfo).port;
}

/** Resolves when the server listens; rejects when it cannot. */
export function listening(server: Server | Http2SecureServer, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
    listen();
  });
}
