/**
 * The machine's npm registry, as the only thing outside that the world can reach: a name in the world's /etc/hosts leads
 * to a relay inside, which leads through a Unix socket to a relay outside, which connects to the registry and to nothing
 * else. TLS goes through untouched. Which registry it is stands in npm's configuration, never in a file of ours.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { world } from "./world.ts";

export interface Registry {
  /** As npm wants it: `npm_config_registry`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
}

/** Where the registry's name leads inside the world. */
export const registryAddress = "10.77.0.20";

const socketName = "registry.sock";
const registryName = "registry.json";

/** Outside: says in the world's directory which registry there is, and opens the door to it. */
export async function openRegistryDoor(directory: string): Promise<AsyncDisposable> {
  const { stdout } = spawnSync("npm", ["config", "get", "registry"], { encoding: "utf8" });
  if (!stdout) throw new Error("npm does not say which registry it uses; is it installed?");
  const url = new URL(stdout.trim());
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  const registry: Registry = { url: url.href, host: url.hostname, port };
  writeFileSync(join(directory, registryName), JSON.stringify(registry));
  return await relay(
    (server, ready) => server.listen(join(directory, socketName), ready),
    () => connect({ host: registry.host, port }),
  );
}

/** The registry that was found outside; undefined before the door was opened. */
export function readRegistry(directory: string): Registry | undefined {
  const path = join(directory, registryName);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

/** Inside: lets the registry be reached at its own name and port until it is disposed of. */
export async function startRegistry(): Promise<Registry & AsyncDisposable> {
  const { directory } = world();
  const registry = readRegistry(directory);
  if (!registry) throw new Error("the world has no door to a registry");
  const door = await relay(
    (server, ready) => server.listen(registry.port, registryAddress, ready),
    () => connect({ path: join(directory, socketName) }),
  );
  return { ...registry, [Symbol.asyncDispose]: () => door[Symbol.asyncDispose]() };
}

async function relay(
  listen: (server: Server, ready: () => void) => void,
  onward: () => Socket,
): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = onward();
    for (const [socket, other] of [[client, upstream] as const, [upstream, client] as const]) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => sockets.delete(socket));
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    listen(server, resolve);
  });
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
