import { createSecureServer, type Http2SecureServer } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import type { ConnectRouterOptions } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { softLimit } from "../../linux/process-limits.ts";
import { authorize } from "../access/authorize.ts";
import { recordCalls } from "../audit/record-calls.ts";
import type { GatewayCertificates } from "../certificates/gateway-certificates.ts";
import type { GatewayContext } from "../context.ts";
import { observeCalls } from "../health/observer.ts";
import { answerProbes } from "../health/probes.ts";
import { apiRoutes } from "../services/openshell/routes.ts";
import { authenticate } from "./authenticate.ts";
import { callerOf, isOwnProgram, userCalls } from "./caller.ts";
import { answerEdgeConnect } from "./edge-connect.ts";
import { hideDefects } from "./hide-defects.ts";
import { createLocalApi } from "./local-api.ts";
import type { ServerSettings } from "./server-file.ts";
import { createStreamCalls, type StreamCalls } from "./stream-calls.ts";
import { createWebSocketApi } from "./websocket-api.ts";

/** Where it listens unless it is told otherwise: the local gateway is nobody else's. */
export const LOOPBACK = "127.0.0.1";
/**
 * Whoever is on this machine can connect to the port, and each connection takes a descriptor and some 40 KB. Far more than
 * clients have, each of which has one or two; half of the descriptors stay for sandboxes and for the user's own socket.
 */
const MAX_CONNECTIONS = 4_096;
/** Whoever connects and says nothing goes. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A message is at most a policy or a batch of log lines. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** What holds for each call, whichever way it comes. */
function routerOptions(context: GatewayContext): ConnectRouterOptions {
  const { log, signal, observers, calls, now } = context;
  return {
    interceptors: [
      ...(observers.length > 0 ? [observeCalls(observers)] : []),
      hideDefects(log),
      recordCalls(calls, now),
      authenticate(context.userTokens, log),
      authorize(context),
    ],
    readMaxBytes: MAX_MESSAGE_BYTES,
    shutdownSignal: signal,
  };
}

/** The API's calls for whoever has a byte stream of his own for each. */
export function createApiStreamCalls(context: GatewayContext): StreamCalls {
  return createStreamCalls({ routes: apiRoutes(context), router: routerOptions(context), log: context.log });
}

export interface ApiServerOptions {
  readonly certificates: GatewayCertificates;
  readonly settings: ServerSettings;
  readonly streamCalls: StreamCalls;
}

/** The API's server: gRPC, gRPC-Web and Connect on one port, over TLS with client certificates. */
export function createApiServer(
  context: GatewayContext,
  { certificates, settings: { certificate }, streamCalls }: ApiServerOptions,
): Http2SecureServer {
  const handler = connectNodeAdapter({
    ...routerOptions(context),
    routes: apiRoutes(context),
    contextValues: callerOf,
    fallback: answerEdgeConnect(answerProbes(context.readiness)),
  });
  const server = createSecureServer(
    {
      allowHTTP1: true,
      // A key press must not wait for the acknowledgement of the one before it.
      noDelay: true,
      key: certificate?.key ?? certificates.serverKey,
      cert: certificate?.chain ?? certificates.serverCertificate,
      ca: certificates.authority,
      minVersion: "TLSv1.2",
      requestCert: true,
      // Decided for each RPC (caller.ts), so that health can be asked and the refusal is one that clients understand.
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    },
    handler,
  );
  server.maxConnections = Math.min(MAX_CONNECTIONS, Math.floor(softLimit("nofile") / 2));
  return server.on("upgrade", createWebSocketApi(streamCalls, callerOf));
}

/** The same API for the gateway's own user's programs on this machine; `user` is who they are to it. */
export function createOwnApiServer(streamCalls: StreamCalls, user: string): Server {
  return createLocalApi(streamCalls, { admits: isOwnProgram, contextValues: () => userCalls(user) });
}

/** Registered nowhere, but where clients of the published gateway look. */
export const USUAL_PORT = 17_670;

/** Listens on the port that was asked for; else on the usual one, or on a free one where that is taken. Gives the port. */
export async function listenOnPort(
  server: Http2SecureServer,
  port?: number,
  { listen: address = LOOPBACK }: Pick<ServerSettings, "listen"> = {},
): Promise<number> {
  try {
    await listening(server, () => server.listen(port ?? USUAL_PORT, address));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || port !== undefined) throw error;
    await listening(server, () => server.listen(0, address));
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
