/** A WebSocket server of the world, of the ws package, which echoes and remembers what it heard. */
import { createServer as createPlainServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { WebSocketServer } from "ws";
import { leafFor } from "./http-server.ts";
import { type HostName, hosts } from "./names.ts";

export interface EchoServer extends AsyncDisposable {
  /** In words such as `text hello` and `close 1000`. */
  readonly heard: readonly string[];
}

/** Listens on 443, or without TLS on 80. */
export async function startWebsocketServer(host: HostName, options: { readonly tls: boolean }): Promise<EchoServer> {
  const heard: string[] = [];
  const leaf = options.tls ? leafFor(host) : undefined;
  const http = leaf ? createTlsServer({ cert: leaf.certificate, key: leaf.key }) : createPlainServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: true });
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    socket.on("message", (data: Buffer, isBinary) => {
      heard.push(`${isBinary ? "binary" : "text"} ${data.subarray(0, 64)}`);
      socket.send(data, { binary: isBinary });
    });
    socket.on("close", (code) => heard.push(`close ${code}`));
  });
  await new Promise<void>((resolve, reject) => {
    http.once("error", reject);
    http.listen(options.tls ? 443 : 80, hosts[host][0], resolve);
  });
  return {
    heard,
    async [Symbol.asyncDispose]() {
      for (const client of server.clients) client.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
