/** Placeholders in the messages of a real WebSocket client, on their way to a real server. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, it } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { compilePolicy } from "../../../policy/compile.ts";
import { parsePolicy } from "../../../policy/parse.ts";
import { loaded } from "../../../policy/test-support/arbitrary-policy.ts";
import { LoopbackWorld } from "../test-support/loopback-world.ts";
import { Credentials } from "./credentials.ts";

const placeholder = "xoxb-PLACEHOLDER-0123456789";
const secret = 'real "secret"';

/** A client's WebSocket through the proxy to a server that says what it hears. */
async function openSocket({ endpoint = "", boundTo = "upstream.invalid" }) {
  const world = new LoopbackWorld();
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  server.on("connection", (socket) => socket.on("message", (data) => socket.send(data.toString())));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  const rule = `{ host: upstream.invalid, port: ${port}, protocol: websocket, access: full${endpoint} }`;
  const text = `{ version: 1, network_policies: { chat: { endpoints: [${rule}], binaries: [{ path: any }] } } }`;
  world.policy = compilePolicy(loaded(parsePolicy(text)), { version: 1, hash: "" });
  const endpoints = [{ host: boundTo, port, path: "" }];
  world.credentials = new Credentials({
    credentials: [{ provider: "chat", key: "TOKEN", placeholder, secret, endpoints }],
  });
  const tunnel = connect({ port: await world.proxy(), host: "127.0.0.1" });
  const host = `upstream.invalid:${port}`;
  tunnel.write(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await once(tunnel, "data");
  const client = new WebSocket(`ws://${host}/`, { createConnection: () => tunnel });
  await once(client, "open");
  return {
    client,
    world,
    async [Symbol.asyncDispose]() {
      client.terminate();
      for (const socket of server.clients) socket.terminate();
      server.close();
      http.close();
      await world[Symbol.asyncDispose]();
    },
  };
}

describe("a placeholder in a message of a WebSocket", () => {
  const rewriting = ", websocket_credential_rewrite: true";
  const echoed = async (client: WebSocket, message: string): Promise<string> => {
    client.send(message);
    const [data] = await once(client, "message");
    return String(data);
  };

  it("becomes the secret where the endpoint says so, in the message's own spelling", async () => {
    await using open = await openSocket({ endpoint: rewriting });
    const identify = JSON.stringify({ op: 2, token: placeholder });
    assert.deepEqual(JSON.parse(await echoed(open.client, identify)), { op: 2, token: secret });
    assert.equal(await echoed(open.client, `AUTH ${placeholder}`), `AUTH ${secret}`);
    assert.equal(await echoed(open.client, "hello"), "hello");
  });

  it("stays what it is where the endpoint says nothing", async () => {
    await using open = await openSocket({});
    assert.equal(await echoed(open.client, placeholder), placeholder);
  });

  it("closes the WebSocket where it does not belong, before anybody hears it", async () => {
    await using open = await openSocket({ endpoint: rewriting, boundTo: "elsewhere.invalid" });
    open.client.send(placeholder);
    const [code, reason] = await once(open.client, "close");
    assert.equal(code, 1008);
    assert.match(String(reason), /credential\.endpoint_mismatch/);
    assert.ok(open.world.audit.events.includes("request refused credential.endpoint_mismatch"));
  });
});
