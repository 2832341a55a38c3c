/**
 * MCP's reference server with everything in it, and the SDK that its clients are made with, both as npm has them: what
 * the protocol is, its own people say.
 */
import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { build, stop } from "esbuild";
import type { Registry } from "./registry.ts";
import { world } from "./world.ts";

export interface McpServer extends AsyncDisposable {
  /** The SDK's part for clients as one module, to be put into a sandbox. */
  readonly clientModule: string;
}

const packages = ["@modelcontextprotocol/server-everything@2026.8.31", "@modelcontextprotocol/sdk@1.32.2"];

/** Installs and starts it: Streamable HTTP, without TLS, on `/mcp` of every address of the world. */
export async function startMcpServer(registry: Registry, port: number): Promise<McpServer> {
  const directory = mkdtempSync(join(world().directory, "mcp-"));
  const npm = ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", directory];
  // Not in one go with this process, which carries what npm says to the registry.
  await promisify(execFile)("npm", [...npm, ...packages], {
    env: { ...process.env, npm_config_registry: registry.url },
  });
  const modules = join(directory, "node_modules");
  const program = join(modules, "@modelcontextprotocol", "server-everything", "dist", "index.js");
  const server = spawn(process.execPath, [program, "streamableHttp"], {
    env: { ...process.env, PORT: `${port}` },
    stdio: ["ignore", "ignore", "pipe"],
  });
  await listening(server);
  return {
    clientModule: await bundle(modules),
    async [Symbol.asyncDispose]() {
      server.kill("SIGKILL");
      await once(server, "exit");
      rmSync(directory, { recursive: true });
    },
  };
}

async function bundle(modules: string): Promise<string> {
  const client = join(modules, "@modelcontextprotocol", "sdk", "dist", "esm");
  const contents = ["client/index.js", "client/streamableHttp.js", "types.js"]
    .map((file) => `export * from ${JSON.stringify(join(client, file))};`)
    .join("\n");
  const stdin = { contents, resolveDir: modules };
  const built = await build({ stdin, bundle: true, platform: "node", format: "esm", write: false });
  // It keeps a process at hand, which would be found left behind.
  await stop();
  return built.outputFiles[0]?.text ?? "";
}

async function listening({ stderr }: ChildProcessByStdio<null, null, Readable>): Promise<void> {
  for await (const line of createInterface({ input: stderr })) {
    if (/listening on port/.test(line)) return void stderr.resume();
  }
  throw new Error("the MCP server ended before it listened");
}
