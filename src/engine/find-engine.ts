/** Where this machine's container engine listens: where the user says it does, else where it usually does. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { EngineAddress } from "./engine.ts";

export type EngineName = EngineAddress["name"];

/** An engine that listens; `name` is the only one to look for. Throws for an address that is no Unix socket. */
export function findEngine(name: EngineName | undefined, env: NodeJS.ProcessEnv): EngineAddress | undefined {
  const candidates = [...addressesOf("docker", env), ...addressesOf("podman", env)];
  return candidates.find((address) => (name ?? address.name) === address.name && existsSync(address.socketPath));
}

function addressesOf(name: EngineName, env: NodeJS.ProcessEnv): EngineAddress[] {
  const variable = name === "docker" ? "DOCKER_HOST" : "CONTAINER_HOST";
  const said = env[variable];
  if (said) {
    if (!said.startsWith("unix://")) {
      throw new Error(`${variable} is ${said}: only an engine of this machine will do, at a unix:// address`);
    }
    return [{ name, socketPath: said.slice("unix://".length) }];
  }
  const path = name === "docker" ? "docker.sock" : "podman/podman.sock";
  const directories = [...(env["XDG_RUNTIME_DIR"] ? [env["XDG_RUNTIME_DIR"]] : []), "/run"];
  return directories.map((directory) => ({ name, socketPath: join(directory, path) }));
}
