/** A gateway that this program has started in a container of this machine's engine. */
import { configDirectory } from "../../locations/config-directory.ts";
import { type GatewayMetadata, readGatewayEntry } from "../../locations/gateway-entry.ts";
import { activeGatewayName } from "../api/gateway-target.ts";
import type { Environment, GlobalFlags } from "../command-context.ts";

export interface ContainerGateway {
  readonly name: string;
  readonly engine: { readonly name: "docker" | "podman"; readonly socketPath: string };
  readonly port: number;
  /** Of the gateway's program, as they were asked for last. */
  readonly arguments: readonly string[];
}

/** What the entry of such a gateway has besides the published fields. */
interface ContainerFields {
  readonly container_engine: "docker" | "podman";
  readonly container_socket: string;
  readonly container_arguments: readonly string[];
}

/** The gateway that an entry stands for, if it is one of these. */
export function containerGatewayOf(entry: GatewayMetadata): ContainerGateway | undefined {
  const fields = entry as GatewayMetadata & Partial<ContainerFields>;
  const { container_engine: name, container_socket: socketPath, container_arguments: given } = fields;
  if ((name !== "docker" && name !== "podman") || typeof socketPath !== "string") return undefined;
  return { name: entry.name, engine: { name, socketPath }, port: entry.gateway_port, arguments: given ?? [] };
}

export function entryOf({ name, engine, port, arguments: given }: ContainerGateway): GatewayMetadata & ContainerFields {
  return {
    name,
    gateway_endpoint: `https://127.0.0.1:${port}`,
    is_remote: false,
    gateway_port: port,
    auth_mode: "mtls",
    container_engine: engine.name,
    container_socket: engine.socketPath,
    container_arguments: given,
  };
}

interface Asking {
  readonly globals: GlobalFlags;
  readonly environment: Environment;
}

/** The gateway that is meant, if it is in a container. */
export function askedContainerGateway({ globals, environment }: Asking): ContainerGateway | undefined {
  if (globals["gateway-endpoint"] !== undefined) return undefined;
  const entry = readGatewayEntry(configDirectory(environment), globals.gateway ?? activeGatewayName(environment));
  return entry && containerGatewayOf(entry);
}
