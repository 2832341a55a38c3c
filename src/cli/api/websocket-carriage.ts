/** Calls over WebSockets: the way to gateways behind proxies that speak HTTP/1.1 alone. */
import type { Duplex } from "node:stream";
import { createWebSocketStream, WebSocket } from "ws";
import { CALL_SUBPROTOCOL, CALL_WEBSOCKET_PATH } from "../../net/local-call.ts";
import type { RemoteOptions } from "./remote-options.ts";
import { StreamCarriage } from "./stream-carriage.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** Proxies end what is silent, the hasty ones after half a minute. */
const KEEPALIVE_MS = 15_000;

/** Connects and waits to be greeted. Rejects with the connection's error, or with what the proxy answers instead. */
export function openWebSocketCarriage(options: RemoteOptions): Promise<StreamCarriage> {
  return StreamCarriage.open(() => dial(options));
}

function dial({ endpoint, headers = {}, tls = {} }: RemoteOptions): Duplex {
  const address = new URL(CALL_WEBSOCKET_PATH, endpoint.replace(/^http/, "ws"));
  const { insecure, ...certificates } = tls;
  const socket = new WebSocket(address, CALL_SUBPROTOCOL, {
    ...certificates,
    rejectUnauthorized: insecure !== true,
    perMessageDeflate: false,
    handshakeTimeout: CONNECT_TIMEOUT_MS,
    headers,
  });
  keepAlive(socket);
  return createWebSocketStream(socket);
}

/** Also finds out that nobody answers any more, as after a laptop's sleep. */
function keepAlive(socket: WebSocket): void {
  let isAlive = true;
  const timer = setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, KEEPALIVE_MS);
  timer.unref();
  const heard = () => {
    isAlive = true;
  };
  socket.on("pong", heard).on("message", heard);
  socket.once("close", () => clearInterval(timer));
}
