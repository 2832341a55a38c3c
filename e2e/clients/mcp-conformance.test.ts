/** MCP's own conformance suite finds through the sandbox what it finds without: looking into calls changes none of them. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Installation, install } from "../support/installation.ts";
import { type McpServer, startMcpServer } from "../support/mcp-server.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

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
    binaries: [{ path: any }]
`;

describe("the MCP conformance suite", () => {
  let installation: Installation;
  let registry: Registry & AsyncDisposable;
  let server: McpServer;
  let sandbox: Sandbox;

  before(async () => {
    installation = install();
    registry = await startRegistry();
    server = await startMcpServer(registry, 3001);
    sandbox = await createSandbox(installation, "suite", policy);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  it("has the same results in a sandbox as on the machine", async () => {
    const program = join(installation.home, "suite.cjs");
    writeFileSync(program, server.conformanceProgram);
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
});

/** A line for each scenario, such as `✓ ping: 1 passed, 0 failed`. */
function results(printed: string): string[] {
  return printed.split("\n").filter((line) => /^[✓✗] /.test(line));
}
