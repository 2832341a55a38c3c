/** A model that answers at once, and then says a word every few milliseconds, each with the time at which it was said. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { loopback } from "../connections/servers.ts";

export interface Backend extends AsyncDisposable {
  readonly baseUrl: string;
}

const EVENTS = 20;
const PAUSE_MS = 4;

export async function startBackend(): Promise<Backend> {
  const server = createServer(async (request, response) => {
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
  return {
    baseUrl: `http://${loopback}:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
