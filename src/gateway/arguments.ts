import { parseArgs } from "node:util";
import type { EngineName } from "../engine/find-engine.ts";
import { runtimeOf } from "../engine/runtime-image.ts";
import type { Contained } from "./drivers/container/container-driver.ts";

export type DriverName = EngineName | "kubernetes";

export interface GatewayArguments {
  readonly isInForeground: boolean;
  /** Absent: the usual one, or a free one. */
  readonly port?: number;
  readonly name: string;
  /** Absent: no metrics are served. */
  readonly metricsPort?: number;
  /** Absent: the cluster, if there is a kubernetes.yaml, else whichever engine listens. */
  readonly engine?: DriverName;
  /** Absent: sandboxes that ask for no image show the machine's own programs. */
  readonly sandboxImage?: string;
  /** Present where the gateway is in a container: what src/engine/gateway-container.ts tells it. */
  readonly contained?: Contained;
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
      driver: { type: "string" },
      "sandbox-image": { type: "string" },
      "volume-path": { type: "string" },
      "runtime-image": { type: "string" },
    },
  });
  const metrics = values["metrics-port"] ?? env["OPENSHELL_METRICS_PORT"];
  const driver = values.driver ?? env["OPENSHELL_DRIVERS"];
  const { "volume-path": volumePath, "runtime-image": runtimeImage } = values;
  const sandboxImage = values["sandbox-image"] ?? env["OPENSHELL_SANDBOX_IMAGE"];
  return {
    isInForeground: values.foreground === true,
    ...(values.port !== undefined && { port: portOf("--port", values.port) }),
    name: values.name ?? "openshell",
    ...(driver && { engine: engineOf(driver) }),
    ...(sandboxImage && { sandboxImage }),
    ...(volumePath && runtimeImage && { contained: { volumePath, runtime: runtimeOf(runtimeImage) } }),
    ...(metrics && { metricsPort: portOf("--metrics-port", metrics) }),
  };
}

function engineOf(text: string): DriverName {
  if (text === "docker" || text === "podman" || text === "kubernetes") return text;
  throw new Error(`--driver: "${text}" is none of docker, podman and kubernetes`);
}

/** 0 is any free port. */
function portOf(option: string, text: string): number {
  const port = Number(text);
  if (text.trim() === "" || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`${option}: "${text}" is not a port`);
  }
  return port;
}
