import { parseArgs } from "node:util";

/** Registered nowhere, but where clients of the published gateway look. */
const DEFAULT_PORT = 17_670;

export interface GatewayArguments {
  readonly port: number;
  readonly name: string;
  /** Absent: no metrics are served. */
  readonly metricsPort?: number;
}

/** Reads the gateway's command line; throws an Error with what is wrong with it. */
export function parseGatewayArguments(argv: readonly string[], env: NodeJS.ProcessEnv): GatewayArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      port: { type: "string" },
      name: { type: "string" },
      foreground: { type: "boolean" },
      "metrics-port": { type: "string" },
    },
  });
  const metrics = values["metrics-port"] ?? env["OPENSHELL_METRICS_PORT"];
  return {
    port: values.port === undefined ? DEFAULT_PORT : portOf("--port", values.port),
    name: values.name ?? "openshell",
    ...(metrics && { metricsPort: portOf("--metrics-port", metrics) }),
  };
}

/** 0 is any free port. */
function portOf(option: string, text: string): number {
  const port = Number(text);
  if (text.trim() === "" || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`${option}: "${text}" is not a port`);
  }
  return port;
}
