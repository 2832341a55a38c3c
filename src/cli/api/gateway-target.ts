/**
 * Which gateway is meant: `--gateway-endpoint`, then `-g` or OPENSHELL_GATEWAY, then the active one, then the local one.
 */

import { configDirectory, systemConfigDirectory } from "../../locations/config-directory.ts";
import {
  type GatewayMetadata,
  listGatewayEntries,
  type MtlsBundle,
  readActiveGateway,
  readAuthority,
  readGatewayEntry,
  readMtlsBundle,
} from "../../locations/gateway-entry.ts";
import { LOCAL_GATEWAY_NAME } from "../../locations/local-gateway.ts";
import type { Environment, GlobalFlags } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import { EDGE_LOGIN, type OidcClient, oidcClient } from "../login/oidc-client.ts";

export interface GatewayTarget {
  /** Absent for a local gateway that has never run and for an address without an entry. */
  readonly name?: string;
  readonly endpoint?: string;
  readonly credentials?: MtlsBundle;
  /** Where the user logs in, if tokens and not certificates tell who it is. */
  readonly oidc?: OidcClient;
  /** Whether its users log in at a proxy in front of it. */
  readonly isBehindEdge?: boolean;
  /** What vouches for the gateway, where the system's authorities do not. */
  readonly authority?: string;
  /** Whether this machine's own gateway is meant, which may be started when it does not run. */
  readonly isLocal: boolean;
  /** Its entry, where it was started on another machine by SSH, and SSH leads to its address. */
  readonly behindSsh?: GatewayMetadata;
  /** Whether this program has started it in a container of this machine's. */
  readonly isInContainer?: boolean;
}

/** @returns the target as the files say now. Throws CommandFailure for a name that has no entry or a bad address. */
export function gatewayTarget(globals: GlobalFlags, environment: Environment): GatewayTarget {
  const typedEndpoint = globals["gateway-endpoint"];
  if (typedEndpoint !== undefined) return byAddress(typedEndpoint, environment);
  const directories = configDirectories(environment);
  const name = globals.gateway ?? firstOf(directories, readActiveGateway) ?? LOCAL_GATEWAY_NAME;
  const entry = firstOf(directories, (directory) => readGatewayEntry(directory, name));
  const isLocal = name === LOCAL_GATEWAY_NAME;
  if (!entry) {
    if (isLocal) return { name, isLocal };
    throw new CommandFailure(`there is no gateway called "${name}"`, {
      code: "not_found",
      hint: "`openshell gateway list` shows the known ones; `openshell gateway add` adds one",
    });
  }
  return { name, endpoint: entry.gateway_endpoint, isLocal, ...wayTo(entry), ...credentialsOf(directories, entry) };
}

/** The user's own entries first: they hide the machine's entries of the same name. */
export function configDirectories(environment: Environment): readonly string[] {
  return [configDirectory(environment), systemConfigDirectory(environment)];
}

/** All entries, the user's own and the machine's, each name once. */
export function allGatewayEntries(environment: Environment): GatewayMetadata[] {
  const byName = new Map<string, GatewayMetadata>();
  for (const directory of configDirectories(environment)) {
    for (const entry of listGatewayEntries(directory)) if (!byName.has(entry.name)) byName.set(entry.name, entry);
  }
  return [...byName.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** The gateway that commands use when none is named. */
export function activeGatewayName(environment: Environment): string {
  return firstOf(configDirectories(environment), readActiveGateway) ?? LOCAL_GATEWAY_NAME;
}

/** An address may be that of a known gateway, whose certificate is then used. */
function byAddress(typed: string, environment: Environment): GatewayTarget {
  const endpoint = parseEndpoint(typed);
  const known = allGatewayEntries(environment).find((entry) => entry.gateway_endpoint === endpoint);
  if (!known) return { endpoint, isLocal: false };
  const credentials = credentialsOf(configDirectories(environment), known);
  return { endpoint, isLocal: false, name: known.name, ...wayTo(known), ...credentials };
}

function wayTo(entry: GatewayMetadata): Pick<GatewayTarget, "behindSsh" | "isInContainer"> {
  if ("container_engine" in entry) return { isInContainer: true };
  return "remote_runtime" in entry ? { behindSsh: entry } : {};
}

/** @returns `scheme://host:port` without a path. Throws CommandFailure. */
export function parseEndpoint(typed: string): string {
  const url = URL.canParse(typed) ? new URL(typed) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") {
    throw new CommandFailure(`"${typed}" is not a gateway's address`, {
      code: "usage",
      exitCode: 2,
      hint: "write it as https://HOST:PORT",
    });
  }
  return url.origin;
}

function credentialsOf(
  directories: readonly string[],
  entry: GatewayMetadata,
): Pick<GatewayTarget, "credentials" | "oidc" | "isBehindEdge" | "authority"> {
  const oidc = oidcClient(entry);
  const isBehindEdge = entry.auth_mode === EDGE_LOGIN;
  if (oidc !== undefined || isBehindEdge) {
    const authority = firstOf(directories, (directory) => readAuthority(directory, entry.name));
    return { ...(oidc ? { oidc } : { isBehindEdge }), ...(authority !== undefined && { authority }) };
  }
  const credentials = firstOf(directories, (directory) => readMtlsBundle(directory, entry.name));
  return credentials ? { credentials } : {};
}

function firstOf<T>(directories: readonly string[], read: (directory: string) => T | undefined): T | undefined {
  for (const directory of directories) {
    const found = read(directory);
    if (found !== undefined) return found;
  }
  return undefined;
}
