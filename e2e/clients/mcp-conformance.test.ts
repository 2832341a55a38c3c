/** MCP's own conformance suite finds through the sandbox what it finds without: looking into calls changes none of them. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Installation, install } from "../support/installation.ts";
import { type McpServer, startMcpServer } from "../support/mcp-server.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";
import { world } from "../support/world.ts";

const url = "http://other.example.test:3001/mcp";

const policy = `
network_policies:
  suite:
    endpoints:
      - host: other.example.test
        port: 3001
        protocol: mcp
        path: /mcp
        mcp: { allow_all_known_mcp_methods: true }
        rules: [{ allow: { tool: "*" } }]
      - host: other.example.test
        port: 3002
        protocol: mcp
        mcp: { allow_all_known_mcp_methods: true }
        rules: [{ allow: { tool: "*" } }]
    binaries: [{ path: any }]
`;

/** A client of the SDK's that calls every tool there is and accepts what it is asked, with the defaults. */
const clientProgram = `
import { Client, ElicitRequestSchema, StreamableHTTPClientTransport } from "./sdk.mjs";
const client = new Client({ name: "agent", version: "1" }, { capabilities: { elicitation: { form: { applyDefaults: true } } } });
client.setRequestHandler(ElicitRequestSchema, async () => ({ action: "accept", content: {} }));
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv[2])));
const { tools } = await client.listTools();
for (const { name } of tools) await client.callTool({ name, arguments: { a: 5, b: 3 } });
await client.close();
`;

/** Stands for the client on the machine: lets the suite's server be reached from the world, and runs the client inside. */
const insideProgram = (openshell: string) => `
import { spawnSync } from "node:child_process";
import { Worker } from "node:worker_threads";
const url = new URL(process.argv[2]);
const relay = \`
  const { connect, createServer } = require("node:net");
  const { parentPort } = require("node:worker_threads");
  createServer((socket) => {
    const onward = connect(\${url.port}, "localhost");
    for (const [one, other] of [[socket, onward], [onward, socket]]) one.on("error", () => other.destroy()).pipe(other);
  }).listen(3002, "10.77.0.5", () => parentPort.postMessage("ready"));
\`;
const worker = new Worker(relay, { eval: true });
await new Promise((resolve) => worker.once("message", resolve));
const asked = \`http://other.example.test:3002\${url.pathname}\`;
const exec = ["sandbox", "exec", "--name", "suite", "--", "node", "client.mjs", asked];
process.exit(spawnSync(${JSON.stringify(openshell)}, exec, { stdio: "inherit" }).status ?? 1);
`;

/** What it tests about clients, but for what only OAuth servers are needed for. */
const clientScenarios = ["initialize", "tools_call", "elicitation-sep1034-client-defaults", "sse-retry"];

describe("the MCP conformance suite", () => {
  let installation: Installation;
  let registry: Registry & AsyncDisposable;
  let server: McpServer;
  let sandbox: Sandbox;
  let program: string;

  before(async () => {
    installation = install();
    registry = await startRegistry();
    server = await startMcpServer(registry, 3001);
    sandbox = await createSandbox(installation, "suite", policy);
    program = writeProgram("suite.cjs", server.conformanceProgram);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  const writeProgram = (name: string, source: string) => {
    const path = join(installation.home, name);
    writeFileSync(path, source);
    return path;
  };

  it("finds the same of a server, asked from a sandbox as from the machine", async () => {
    await installation.run(["sandbox", "upload", "suite", program, "suite.cjs"]);
    const asked = ["server", "--url", url];
    const outside = await installation.runProgram([process.execPath, program, ...asked], { timeout: 120_000 });
    const exec = ["sandbox", "exec", "--name", sandbox.name, "--", "node", "suite.cjs"];
    const inside = await installation.run([...exec, ...asked], { timeout: 120_000 });
    const expected = results(outside.stdout);
    assert.ok(expected.length >= 25, outside.stdout + outside.stderr);
    assert.ok(expected.filter((line) => line.startsWith("✓")).length >= 10, outside.stdout);
    assert.deepEqual(results(inside.stdout), expected, inside.stderr);
    const looked = installation.events().filter(({ class_uid, unmapped }) => class_uid === 4002 && unmapped?.["rpc"]);
    assert.ok(looked.length >= expected.length, "each scenario's calls were looked into");
  });

  it("finds nothing wrong with a client in a sandbox", async () => {
    const client = writeProgram("client.mjs", clientProgram);
    const sdk = writeProgram("sdk.mjs", server.clientModule);
    for (const file of [client, sdk]) await installation.run(["sandbox", "upload", "suite", file, basename(file)]);
    const inside = writeProgram("inside.mjs", insideProgram(join(world().packageDirectory, "bin", "openshell")));
    for (const scenario of clientScenarios) {
      const asked = ["client", "--scenario", scenario, "--command", `${process.execPath} ${inside}`];
      const tested = await installation.runProgram([process.execPath, program, ...asked], { timeout: 60_000 });
      assert.equal(tested.code, 0, tested.stdout + tested.stderr);
    }
  });
});

/** A line for each scenario, such as `✓ ping: 1 passed, 0 failed`. */
function results(printed: string): string[] {
  return printed.split("\n").filter((line) => /^[✓✗] /.test(line));
}
