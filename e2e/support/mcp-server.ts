/**
 * MCP's reference server with everything in it, the SDK that its clients are made with, and the suite that tests servers,
 * all as npm has them: what the protocol is, its own people say.
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
  /** The conformance suite as one CommonJS program: `node FILE server --url URL`. */
  readonly conformanceProgram: string;
}

const packages = [
  "@modelcontextprotocol/server-everything@2026.8.31",
  "@modelcontextprotocol/sdk@1.32.2",
  "@modelcontextprotocol/conformance@0.1.16",
];

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
    ...(await bundles(modules)),
    async [Symbol.asyncDispose]() {
      server.kill("SIGKILL");
      await once(server, "exit");
      rmSync(directory, { recursive: true });
    },
  };
}

async function bundles(modules: string): Promise<Pick<McpServer, "clientModule" | "conformanceProgram">> {
  const client = join(modules, "@modelcontextprotocol", "sdk", "dist", "esm");
  const contents = ["client/index.js", "client/streamableHttp.js", "types.js"]
    .map((file) => `export * from ${JSON.stringify(join(client, file))};`)
    .join("\n");
  const stdin = { contents, resolveDir: modules };
  const shared = { bundle: true, platform: "node", write: false } as const;
  const [sdk, suite] = await Promise.all([
    build({ ...shared, format: "esm", stdin }),
    build({
      ...shared,
      format: "cjs",
      entryPoints: [join(modules, "@modelcontextprotocol", "conformance", "dist", "index.js")],
      define: { "import.meta.url": "programUrl" },
      banner: { js: 'const programUrl = require("node:url").pathToFileURL(__filename).href;' },
    }),
  ]);
  // It keeps a process at hand, which would be found left behind.
  await stop();
  return {
    clientModule: sdk.outputFiles[0]?.text ?? "",
    conformanceProgram: suite.outputFiles[0]?.text ?? "",
  };
}

async function listening({ stderr }: ChildProcessByStdio<null, null, Readable>): Promise<void> {
  for await (const line of createInterface({ input: stderr })) {
    if (/listening on port/.test(line)) return void stderr.resume();
  }
  throw new Error("the MCP server ended before it listened");
}
