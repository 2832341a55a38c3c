/**
 * A gateway in a container of an engine's: what it is called, and how the engine is asked for it. It is given the engine's
 * socket, and so makes its sandboxes beside itself: they go on when it is stopped. docs/containers.md argues why.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { containerNode } from "../supervisor/launch-spec.ts";
import { RUNTIME, type Runtime } from "./runtime-image.ts";

/** Where it has its volume, in which all that is its own lies. */
export const GATEWAY_DIRECTORY = "/var/lib/openshell";
const ENGINE_DIRECTORY = "/run/openshell-engine";
/** On a sandbox's containers: which sandbox's, and which gateway's they are. */
export const SANDBOX_LABEL = "ai.openshell.sandbox";
export const GATEWAY_LABEL = "ai.openshell.gateway";
/** On a gateway's container: what it was made of. Another digest asks for another container. */
export const MADE_OF_LABEL = "ai.openshell.made-of";

/** Directories of the gateway's program, as `XDG_…` has them. */
const directories = { STATE: "state", CONFIG: "config", RUNTIME: "run" } as const;

/** Below the volume, as the gateway's program finds them by itself. */
export const gatewayConfigDirectory = join(GATEWAY_DIRECTORY, directories.CONFIG, "openshell");

export const gatewayContainerName = (name: string): string => `openshell-gateway-${name}`;
/** The same word: it has one volume. */
export const gatewayVolumeName = gatewayContainerName;

/** What a gateway's containers are marked with: of its state directory's path on the machine, which is one gateway's. */
export function gatewayIdOf(stateDirectory: string): string {
  return createHash("sha256").update(stateDirectory).digest("hex").slice(0, 16);
}

/** The id of a gateway whose volume the engine has at this path of the machine's. */
export function containedGatewayId(volumePath: string): string {
  return gatewayIdOf(join(volumePath, directories.STATE, "openshell"));
}

export interface GatewayPlan {
  readonly runtime: Runtime;
  readonly volume: string;
  /** Where the engine has that volume on the machine. */
  readonly volumePath: string;
  /** Further arguments of the gateway's program. */
  readonly arguments: readonly string[];
  readonly engine: "docker" | "podman";
  /** The engine's socket on the machine, or the directory it is in, and its name in there. */
  readonly socket: { readonly source: string; readonly name: string };
  /** Files of the machine's trust store, each by where the gateway looks for it. */
  readonly trustFiles: Readonly<Record<string, string>>;
}

/** As the engine takes it, with a label of what it is made of. */
export function gatewayBody(plan: GatewayPlan): object {
  const body = bodyOf(plan);
  const digest = createHash("sha256").update(JSON.stringify(body)).digest("hex");
  return { ...body, Labels: { [MADE_OF_LABEL]: digest } };
}

function bodyOf({ runtime, volume, volumePath, engine, socket, ...plan }: GatewayPlan) {
  const bind = (Source: string, Target: string) => ({ Type: "bind", Source, Target, ReadOnly: true });
  const isFile = socket.name === "";
  const address = isFile ? join(ENGINE_DIRECTORY, "engine.sock") : join(ENGINE_DIRECTORY, socket.name);
  return {
    Image: runtime.image,
    User: "0:0",
    Env: [
      `HOME=${GATEWAY_DIRECTORY}`,
      ...Object.entries(directories).map(([kind, name]) => {
        return `XDG_${kind}_${kind === "RUNTIME" ? "DIR" : "HOME"}=${join(GATEWAY_DIRECTORY, name)}`;
      }),
      `${engine === "docker" ? "DOCKER_HOST" : "CONTAINER_HOST"}=unix://${address}`,
    ],
    Entrypoint: [...containerNode, join(RUNTIME, "dist/gateway.cjs")],
    Cmd: [...["--driver", engine, "--volume-path", volumePath, "--runtime-image", runtime.image], ...plan.arguments],
    StopTimeout: 30,
    HostConfig: {
      // As supervisors have it: it listens on the machine's loopback address, where no other container gets at it.
      NetworkMode: "host",
      // To see whether a supervisor still runs.
      PidMode: "host",
      CapDrop: ["ALL"],
      // Agents' files belong to their users.
      CapAdd: ["DAC_OVERRIDE", "FOWNER", "CHOWN"],
      SecurityOpt: ["no-new-privileges"],
      ReadonlyRootfs: true,
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
      // `unless-stopped` would not do: an engine that was killed stops what still runs, and takes that for a user's wish.
      RestartPolicy: { Name: "always" },
      Mounts: [
        { Type: "volume", Source: volume, Target: GATEWAY_DIRECTORY },
        bind(socket.source, isFile ? address : ENGINE_DIRECTORY),
        ...Object.entries(plan.trustFiles).map(([target, source]) => bind(source, target)),
      ],
    },
  };
}
