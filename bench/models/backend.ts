/** A model that answers at once, and then says a word every few milliseconds, each with the time at which it was said. */
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { issueLeaf } from "../../e2e/support/certificates.ts";
import { host, loopback } from "../connections/servers.ts";
import type { Authority } from "../support/authority.ts";

export interface Backend extends AsyncDisposable {
  /** By the machine's own name for itself. */
  readonly baseUrl: string;
  readonly port: number;
}

const EVENTS = 20;
const PAUSE_MS = 4;

export async function startBackend(authority: Authority): Promise<Backend> {
  const leaf = issueLeaf(authority, { names: ["DNS:localhost", `DNS:${host}`] });
  const server = createServer({ cert: leaf.certificate, key: leaf.key }, async (request, response) => {
    request.resume();
    await once(request, "end");
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (let event = 0; event < EVENTS; event++) {
      const choices = [{ index: 0, delta: { content: "word " } }];
      response.write(`data: ${JSON.stringify({ model: "m", choices, sent: `${process.hrtime.bigint()}` })}\n\n`);
      await delay(PAUSE_MS);
    }
    response.end("data: [DONE]\n\n");
  });
  server.on("connection", (socket) => socket.setNoDelay(true));
  server.listen(0, loopback);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `https://localhost:${port}`,
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
