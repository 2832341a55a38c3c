/** WebSocket clients in a sandbox, by the proxy and captured, in TLS and without: each message is decided. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { build, stop } from "esbuild";
import type { OcsfEvent } from "../../src/ocsf/ocsf-event.ts";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";
import { type EchoServer, startWebsocketServer } from "../support/websocket-server.ts";

const policy = (messages: string) => `
network_policies:
  sockets:
    endpoints:
      - host: api.example.test
        ports: [80, 443]
        protocol: websocket
        rules: [{ allow: { method: GET, path: "**" } }${messages}]
    binaries: [{ path: any }]
`;

const talking = policy(", { allow: { method: WEBSOCKET_TEXT, path: /chat } }");

/** Says some messages, one after the other's echo, and prints what it hears and how it ends. */
const conversation = `
  const [url, ...said] = process.argv.slice(2);
  const socket = new WebSocket(url);
  const next = () => (said.length > 0 ? socket.send(said.shift()) : socket.close(1000));
  socket.onopen = next;
  socket.onmessage = ({ data }) => { console.log("heard", data); setTimeout(next, process.env.PAUSE ?? 0); };
  socket.onerror = () => {};
  socket.onclose = ({ code, reason }) => console.log("closed", code, reason);
`;

/** As long as anybody needs who changes the policy meanwhile. */
const dialogue = `PAUSE=100 timeout 20 node ws.cjs wss://api.example.test/chat ${"again ".repeat(200)}`;

/** A client in one file, as a program in a sandbox has no packages of ours. */
async function bundle(imports: string): Promise<string> {
  const contents = `${imports}\n${conversation}`;
  const options = { bundle: true, platform: "node", format: "cjs", minify: true, write: false } as const;
  const { outputFiles } = await build({ stdin: { contents, resolveDir: import.meta.dirname }, ...options });
  return outputFiles[0]?.text ?? "";
}

function refusedMessages(installation: Installation): number {
  const isMessage = (event: OcsfEvent) =>
    "http_request" in event && event.http_request.http_method === "WEBSOCKET_TEXT";
  return installation.events().filter(isMessage).length;
}

describe("a WebSocket client in a sandbox", () => {
  let installation: Installation;
  let servers: EchoServer[];
  let sandbox: Sandbox;

  before(async () => {
    installation = install();
    servers = [
      await startWebsocketServer("api.example.test", { tls: true }),
      await startWebsocketServer("api.example.test", { tls: false }),
    ];
    sandbox = await createSandbox(installation, "sockets", talking);
    const place = async (name: string, input: string) => {
      const placed = await installation.run(["sandbox", "exec", "--name", "sockets", "--", "tee", name], { input });
      assert.equal(placed.code, 0, placed.stderr);
    };
    await place("ws.cjs", await bundle('import { WebSocket } from "ws";'));
    await place("undici.cjs", await bundle('import { WebSocket } from "undici";'));
    const proxied = 'import { EnvHttpProxyAgent, setGlobalDispatcher, WebSocket } from "undici";';
    await place("proxied.cjs", await bundle(`${proxied} setGlobalDispatcher(new EnvHttpProxyAgent());`));
    await stop();
  });
  after(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  const clients: readonly (readonly [what: string, command: string])[] = [
    ["undici, by the proxy", "timeout 20 node proxied.cjs"],
    ["undici, captured", "timeout 20 node undici.cjs"],
    ["ws, captured", "timeout 20 node ws.cjs"],
  ];
  for (const [what, command] of clients) {
    for (const scheme of ["wss", "ws"]) {
      it(`says what it may say: ${what}, ${scheme}`, async () => {
        const { stdout, stderr } = await sandbox.run(`${command} ${scheme}://api.example.test/chat hello ''`);
        assert.equal(stdout, "heard hello\nheard \nclosed 1000 \n", stderr);
      });

      it(`is closed for what it may not say: ${what}, ${scheme}`, async () => {
        const heard = servers.flatMap((server) => server.heard).length;
        const refused = refusedMessages(installation);
        const { stdout, stderr } = await sandbox.run(`${command} ${scheme}://api.example.test/admin secret`);
        assert.match(stdout, /^closed 1008 inspect\.no_rule: a text message on \/admin not permitted/, stderr);
        const rest = servers.flatMap((server) => server.heard).slice(heard);
        assert.ok(!rest.includes("text secret"));
        assert.equal(refusedMessages(installation), refused + 1);
      });
    }
  }

  it("is told by explain what would allow the message", async () => {
    await sandbox.run(`node ws.cjs wss://api.example.test/admin secret`);
    const { stdout } = await installation.run(["policy", "explain", "sockets"]);
    assert.match(stdout, /method: WEBSOCKET_TEXT\n\s+path: \/admin/);
  });

  it("sends a long message whole", async () => {
    const long = "x".repeat(100_000);
    const { stdout, stderr } = await sandbox.run(`node ws.cjs wss://api.example.test/chat ${long}`);
    assert.equal(stdout, `heard ${long}\nclosed 1000 \n`, stderr);
  });

  it("is held to a policy that comes while it is open", async () => {
    const running = installation.start(["sandbox", "exec", "--name", "sockets", "--", "sh", "-c", dialogue]);
    running.stdin.end();
    await new Promise((resolve) => running.stdout.once("data", resolve));
    await sandbox.setPolicy(policy(""));
    const { stdout } = await running.finished;
    assert.match(stdout, /closed 1008/);
    await sandbox.setPolicy(talking);
  });
});
