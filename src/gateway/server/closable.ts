/** Servers that can be closed in bounded time: by itself a closing server stays open for as long as its clients like. */
import type { Http2SecureServer, ServerHttp2Session } from "node:http2";
import type { Server, Socket } from "node:net";

/** What streams get to say goodbye in. */
const DRAIN_MS = 1_000;

/** Keeps track of the server's connections from now on. Gives what closes it, and them. */
export function closable(server: Server | Http2SecureServer): () => Promise<void> {
  const sessions = opened<ServerHttp2Session>(server, "session");
  // TLS connections come by this event, after their handshake; all others by the first.
  const sockets = [opened<Socket>(server, "connection"), opened<Socket>(server, "secureConnection")];
  return async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const session of sessions) session.close();
    const timer = setTimeout(() => {
      for (const socket of sockets.flatMap((some) => [...some])) socket.destroy();
    }, DRAIN_MS);
    await closed;
    clearTimeout(timer);
  };
}

function opened<T extends ServerHttp2Session | Socket>(
  server: Server | Http2SecureServer,
  event: "session" | "connection" | "secureConnection",
): ReadonlySet<T> {
  const open = new Set<T>();
  server.on(event, (connection: T) => {
    open.add(connection);
    connection.once("close", () => open.delete(connection));
  });
  return open;
}
