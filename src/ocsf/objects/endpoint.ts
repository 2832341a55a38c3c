/** OCSF object `network_endpoint`: one end of a connection. */
import { isIP } from "node:net";

export interface Endpoint {
  readonly hostname?: string;
  readonly ip?: string;
  readonly port: number;
}

/**
 * An end of a connection. `host` is a canonical name or address; `address` the one that was dialled for a name, if that
 * is known.
 */
export function endpoint(host: string, port: number, address?: string): Endpoint {
  if (isIP(host)) return { ip: host, port };
  return { hostname: host, ...(address !== undefined && { ip: address }), port };
}
