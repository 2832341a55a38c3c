/** A gateway on another machine that this program has started there by SSH, and reaches by SSH. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { GatewayMetadata } from "../../locations/gateway-entry.ts";
import { runtimeDirectory } from "../../locations/runtime-directory.ts";
import { stateDirectory } from "../../locations/state-directory.ts";
import type { Environment } from "../command-context.ts";
import { usageFailure } from "../command-failure.ts";

/** How SSH gets there. What is not said here is said by the user's ssh_config(5): names, jumps, agents, known hosts. */
export interface SshAccess {
  /** As ssh(1) takes it: `user@host`, `host`, or a name of ssh_config's. */
  readonly destination: string;
  readonly port?: number;
  /** Path of a private key. */
  readonly key?: string;
  /** Where the one connection that all commands share has its socket; ssh_config(5), ControlPath. */
  readonly controlPath: string;
}

export interface RemoteGateway {
  readonly name: string;
  readonly access: SshAccess;
  /** Folder of this version's programs over there. */
  readonly runtime: string;
  /** The port of that machine's loopback address that the gateway listens on … */
  readonly port: number;
  /** … and the one of this machine's that leads there. */
  readonly localPort: number;
}

/** What the entry of such a gateway has besides the published fields. */
export interface RemoteFields {
  readonly remote_port: number;
  readonly remote_runtime: string;
  readonly ssh_port?: number;
  readonly ssh_key?: string;
}

const USER = "(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?";
const HOST = "[A-Za-z0-9][A-Za-z0-9_.-]*|\\[[0-9A-Fa-f:.]+\\]|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*";
const DESTINATION = new RegExp(`^${USER}(?:${HOST})$`);

/** `user@host`, with `ssh://` and `:PORT` if need be. Throws a usage failure: ssh would take `-oProxyCommand=…` for a flag. */
export function parseDestination(typed: string): { readonly destination: string; readonly port?: number } {
  const bare = typed.replace(/^ssh:\/\//, "").replace(/\/$/, "");
  const port = /^(.*[^:]):(\d{1,5})$/.exec(bare);
  const isPort = port !== null && Number(port[2]) <= 65_535 && !/:.*:/.test(bare.replace(/\[.*\]/, ""));
  const destination = isPort ? (port[1] ?? "") : bare;
  if (!DESTINATION.test(destination)) {
    throw usageFailure(`"${typed}" is no SSH destination`, "write it as USER@HOST or USER@HOST:PORT");
  }
  return { destination, ...(isPort && { port: Number(port[2]) }) };
}

/** The host of a destination, as a gateway's name. */
export function hostOf(destination: string): string {
  return destination.replace(/^.*@/, "").replace(/^\[|\]$/g, "");
}

/** Where a gateway's shared connection is: below the runtime directory, since the path must be short. */
export function controlPath(name: string, environment: Environment): string {
  const short = createHash("sha256").update(name).digest("hex").slice(0, 12);
  return join(runtimeDirectory(environment, stateDirectory(environment)), `ssh-${short}`);
}

/** The gateway that an entry stands for, if it is one of these. */
export function remoteGatewayOf(entry: GatewayMetadata, environment: Environment): RemoteGateway | undefined {
  const { remote_host, remote_port, remote_runtime, ssh_port, ssh_key } = entry as GatewayMetadata &
    Partial<RemoteFields>;
  if (remote_host === undefined || typeof remote_port !== "number" || typeof remote_runtime !== "string")
    return undefined;
  const access: SshAccess = {
    ...parseDestination(remote_host),
    ...(ssh_port !== undefined && { port: ssh_port }),
    ...(ssh_key !== undefined && { key: ssh_key }),
    controlPath: controlPath(entry.name, environment),
  };
  return { name: entry.name, access, runtime: remote_runtime, port: remote_port, localPort: entry.gateway_port };
}
