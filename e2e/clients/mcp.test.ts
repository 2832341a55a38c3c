/** MCP as its own SDK speaks it, to its own reference server: what a rule names works, and everything else says why not. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Installation, install } from "../support/installation.ts";
import { type McpServer, startMcpServer } from "../support/mcp-server.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

const host = "other.example.test";
const port = 3001;

const policy = `
network_policies:
  tools:
    endpoints:
      - host: ${host}
        port: ${port}
        protocol: mcp
        path: /mcp
        mcp: { allow_all_known_mcp_methods: true }
        rules:
          - allow: { tool: { any: [echo, "get-*", trigger-sampling-request] } }
        deny_rules:
          - { method: tools/call, tool: get-env }
          - { method: prompts/list }
    binaries: [{ path: any }]
`;

describe("an agent with MCP tools", () => {
  let installation: Installation;
  let registry: Registry & AsyncDisposable;
  let server: McpServer;
  let sandbox: Sandbox;

  before(async () => {
    installation = install();
    registry = await startRegistry();
    server = await startMcpServer(registry, port);
    sandbox = await createSandbox(installation, "tools", policy);
    const copy = ["sandbox", "exec", "--name", sandbox.name, "--", "sh", "-c", "cat > sdk.mjs"];
    await installation.run(copy, { input: server.clientModule });
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  /** Runs steps of a connected `client` in the sandbox, and gives what they return. */
  const withClient = async (steps: string) => {
    const program = `
      import { Client, CreateMessageRequestSchema, StreamableHTTPClientTransport } from "/sandbox/sdk.mjs";
      const client = new Client({ name: "agent", version: "1" }, { capabilities: { sampling: {} } });
      const message = { model: "m", role: "assistant", content: { type: "text", text: "sampled" } };
      client.setRequestHandler(CreateMessageRequestSchema, async () => message);
      const transport = new StreamableHTTPClientTransport(new URL("http://${host}:${port}/mcp"));
      await client.connect(transport);
      const answer = await (async () => { ${steps} })().catch((error) => String(error));
      await transport.terminateSession();
      await client.close();
      console.log(JSON.stringify(answer));`;
    const { code, stdout, stderr } = await sandbox.run(`node --input-type=module - <<'PROGRAM'\n${program}\nPROGRAM`);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const call = (name: string, args: object) =>
    withClient(`return client.callTool(${JSON.stringify({ name, arguments: args })});`);

  it("lists them and calls the one that a rule names", async () => {
    const names = await withClient("return (await client.listTools()).tools.map(({ name }) => name);");
    assert.ok(names.includes("echo"));
    const answer = await call("echo", { message: "hello" });
    assert.equal(answer.content[0].text, "Echo: hello");
  });

  it("calls one that a glob names", async () => {
    const answer = await call("get-sum", { a: 2, b: 3 });
    assert.match(answer.content[0].text, /\b5\b/);
  });

  it("answers what the server asks back while a tool runs", async () => {
    const answer = await call("trigger-sampling-request", { prompt: "say it", maxTokens: 10 });
    assert.match(answer.content[0].text, /sampled/);
  });

  it("is refused another tool, and told which", async () => {
    const answer = await call("toggle-simulated-logging", {});
    assert.match(answer, /POST \/mcp \(tools\/call toggle-simulated-logging\) not permitted by policy/);
    assert.match(answer, /inspect\.no_rule/);
  });

  it("is refused what a deny rule names, tool or method", async () => {
    assert.match(await call("get-env", {}), /inspect\.deny_rule/);
    assert.match(await withClient("return client.listPrompts();"), /inspect\.deny_rule/);
  });

  it("gets no call through in a batch with one that is not allowed, nor one that has two names", async () => {
    const post = (body: string) =>
      sandbox.run(
        `curl -sS -o /dev/null -w '%{http_code}' -H 'content-type: application/json' -d '${body}' http://${host}:${port}/mcp`,
      );
    const message = (rest: string) => `{"jsonrpc":"2.0","id":1,${rest}}`;
    const echo = message('"method":"tools/call","params":{"name":"echo"}');
    assert.equal((await post(`[${echo},${echo.replace("echo", "get-env")}]`)).stdout, "403");
    assert.equal(
      (await post(message('"method":"ping","method":"tools/call","params":{"name":"get-env"}'))).stdout,
      "400",
    );
  });

  it("leaves in the log which tool was called, and not with what", async () => {
    const events = installation.events().filter((event) => event.class_uid === 4002);
    const called = events.flatMap(({ unmapped = {} }) => (unmapped["rpc"] as { tool?: string }[] | undefined) ?? []);
    assert.ok(called.some(({ tool }) => tool === "echo"));
    assert.ok(called.some(({ tool }) => tool === "toggle-simulated-logging"));
    assert.doesNotMatch(JSON.stringify(events), /hello/);
    const { stdout } = await installation.run(["logs", "tools"]);
    assert.match(
      stdout,
      /DENIED POST http:\/\/other\.example\.test:3001\/mcp \(tools\/call toggle-simulated-logging\)/,
    );
  });
});
