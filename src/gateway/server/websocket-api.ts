/**
 * The API for clients behind a proxy that speaks HTTP/1.1 alone, which has no streams both ways: one WebSocket for each
 * call, its messages a stream of bytes without borders.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { ContextValues } from "@connectrpc/connect";
import { createWebSocketStream, WebSocketServer } from "ws";
import { CALL_SUBPROTOCOL, CALL_WEBSOCKET_PATH } from "../../net/local-call.ts";
import type { StreamCalls } from "./stream-calls.ts";

/** What comes in one frame; a call's own messages are cut into as many as it takes. */
const MAX_FRAME_BYTES = 1024 * 1024;

/** Takes the upgrade requests of a server with HTTP/1.1. `contextValues` finds out who calls. */
export function createWebSocketApi(
  calls: StreamCalls,
  contextValues: (request: IncomingMessage) => ContextValues,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(CALL_SUBPROTOCOL) ? CALL_SUBPROTOCOL : false),
  });
  return (request, socket, head) => {
    socket.on("error", () => {});
    const status = refusal(request);
    if (status !== undefined)
      return void socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    server.handleUpgrade(request, socket, head, (webSocket) => {
      const stream = createWebSocketStream(webSocket);
      stream.on("error", () => {});
      const gone = new AbortController();
      webSocket.once("close", () => gone.abort());
      stream.once("close", () => gone.abort());
      calls(stream, { contextValues: contextValues(request), gone: gone.signal });
    });
  };
}

function refusal({ url, headers }: IncomingMessage): string | undefined {
  if (url !== CALL_WEBSOCKET_PATH) return "404 Not Found";
  // Only browsers say where they come from: a page of anybody's must not call with the login that a proxy in front knows.
  if (headers.origin !== undefined) return "403 Forbidden";
  return headers["sec-websocket-protocol"] === CALL_SUBPROTOCOL ? undefined : "400 Bad Request";
}
