/** Whether the gateway that a command means is one on another machine that SSH leads to. */
import { configDirectory } from "../../locations/config-directory.ts";
import { readGatewayEntry } from "../../locations/gateway-entry.ts";
import { activeGatewayName } from "../api/gateway-target.ts";
import type { Environment, GlobalFlags } from "../command-context.ts";
import { type RemoteGateway, remoteGatewayOf } from "./remote-gateway.ts";

interface Asking {
  readonly globals: GlobalFlags;
  readonly environment: Environment;
}

/** The gateway that is meant, if it is on another machine and SSH leads there. */
export function askedRemoteGateway({ globals, environment }: Asking): RemoteGateway | undefined {
  if (globals["gateway-endpoint"] !== undefined) return undefined;
  const entry = readGatewayEntry(configDirectory(environment), globals.gateway ?? activeGatewayName(environment));
  return entry && remoteGatewayOf(entry, environment);
}
