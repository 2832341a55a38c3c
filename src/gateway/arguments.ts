import { parseArgs } from "node:util";

/** Registered nowhere, but where clients of the published gateway look. */
const DEFAULT_PORT = 17_670;

export interface GatewayArguments {
  readonly port: number;
  readonly name: string;
}

/** Reads the gateway's command line; throws an Error with what is wrong with it. */
export function parseGatewayArguments(argv: readonly string[]): GatewayArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: { port: { type: "string" }, name: { type: "string" }, foreground: { type: "boolean" } },
  });
  const port = values.port === undefined ? DEFAULT_PORT : Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`--port: "${values.port}" is not a port`);
  return { port, name: values.name ?? "openshell" };
}
