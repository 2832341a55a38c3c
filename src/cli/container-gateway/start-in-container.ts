/** Starts a gateway in a container: makes its image of what is installed here, its volume, and registers it. */

import { existsSync, globSync, readFileSync, realpathSync } from "node:fs";
import { createServer } from "node:net";
import { basename, dirname, join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { EngineAddress } from "../../engine/engine.ts";
import { findEngine } from "../../engine/find-engine.ts";
import {
  GATEWAY_DIRECTORY,
  type GatewayPlan,
  gatewayBody,
  gatewayConfigDirectory,
  gatewayContainerName,
  gatewayVolumeName,
  MADE_OF_LABEL,
} from "../../engine/gateway-container.ts";
import { ensureRuntime } from "../../engine/runtime-image.ts";
import { configDirectory } from "../../locations/config-directory.ts";
import {
  readGatewayEntry,
  writeActiveGateway,
  writeGatewayEntry,
  writeMtlsBundle,
} from "../../locations/gateway-entry.ts";
import { systemBundleFiles } from "../../net/system-certificates.ts";
import { gatewayTarget } from "../api/gateway-target.ts";
import { health } from "../api/methods.ts";
import { connectGateway } from "../api/open-gateway.ts";
import type { CommandContext, Environment } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import { type ContainerGateway, containerGatewayOf, entryOf } from "./container-gateway.ts";
import { type Reach, reachEngine } from "./reach-engine.ts";

/** As a gateway has it that is a process of this machine's. */
const USUAL_PORT = 17_670;
/** A first start makes an authority and a database; on a machine that has much else to do that takes a while. */
const START_TIMEOUT_MS = 60_000;
const LOOK_EVERY_MS = 50;

export interface StartInContainer {
  readonly name: string;
  /** Undefined: whichever listens. */
  readonly engine: EngineAddress["name"] | undefined;
  /** Undefined: the one it had, or the usual one, or a free one. */
  readonly port: number | undefined;
  /** For the gateway's program; none: those that it had. */
  readonly gatewayArguments: readonly string[];
}

/** Gives the gateway, which answers. Throws CommandFailure. */
export async function startInContainer(
  asked: StartInContainer,
  context: CommandContext,
): Promise<ContainerGateway & { readonly ranBefore: boolean }> {
  const before = knownBefore(asked, context.environment);
  const address = before?.engine ?? engineOf(asked, context.environment);
  const reach = await reachEngine(address);
  const port = asked.port ?? before?.port ?? (await freePort());
  const given = asked.gatewayArguments.length > 0 ? asked.gatewayArguments : (before?.arguments ?? []);
  const gateway: ContainerGateway = { name: asked.name, engine: address, port, arguments: given };
  const plan = await planOf(gateway, { reach, context });
  const ranBefore = await ensureContainer(gateway, plan, { reach, context });
  await untilItAnswers(gateway, { reach, context });
  writeActiveGateway(configDirectory(context.environment), gateway.name);
  return { ...gateway, ranBefore };
}

interface Doing {
  readonly reach: Reach;
  readonly context: CommandContext;
}

function knownBefore({ name, engine }: StartInContainer, environment: Environment): ContainerGateway | undefined {
  const entry = readGatewayEntry(configDirectory(environment), name);
  const known = entry && containerGatewayOf(entry);
  if (entry === undefined || (known !== undefined && (engine ?? known.engine.name) === known.engine.name)) return known;
  throw new CommandFailure(`there is another gateway called "${name}" already`, {
    code: "already_exists",
    hint: "choose a name with --name",
  });
}

function engineOf({ engine }: StartInContainer, environment: Environment): EngineAddress {
  const address = findEngine(engine, environment);
  if (address !== undefined) return address;
  throw new CommandFailure(
    `no container engine was found${engine === undefined ? "" : `: ${engine} does not listen`}`,
    {
      code: "unavailable",
      hint: "start Docker or Podman, or say where it is with DOCKER_HOST or CONTAINER_HOST",
    },
  );
}

async function planOf(
  { name, engine: address, port, arguments: given }: ContainerGateway,
  { reach: { engine }, context }: Doing,
): Promise<GatewayPlan> {
  const entry = join(dirname(context.installation.gatewayProgram), "supervisor.cjs");
  const runtime = await ensureRuntime(engine, entry);
  const volume = gatewayVolumeName(name);
  await engine.post("/volumes/create", { body: { Name: volume } });
  const { Mountpoint: volumePath } = await engine.get<{ Mountpoint: string }>(`/volumes/${volume}`);
  return {
    ...{ runtime, volume, volumePath, engine: address.name },
    socket: socketOf(address.socketPath),
    trustFiles: Object.fromEntries(systemBundleFiles.filter(existsSync).map((path) => [path, realpathSync(path)])),
    arguments: ["--name", name, "--port", `${port}`, ...given],
  };
}

/**
 * An engine that is started anew has another socket under the same name, which a container that goes on sees only where it
 * sees the directory. One that is full of other services' is not shown to it.
 */
function socketOf(path: string): GatewayPlan["socket"] {
  const directory = dirname(path);
  const isOwn = /docker|podman|engine/.test(basename(directory));
  return isOwn ? { source: directory, name: basename(path) } : { source: path, name: "" };
}

/** One that was made of the same goes on, or is started again. @returns whether it ran. */
async function ensureContainer(
  { name }: ContainerGateway,
  plan: GatewayPlan,
  { reach, context }: Doing,
): Promise<boolean> {
  const { engine, containers } = reach;
  const container = gatewayContainerName(name);
  const body = gatewayBody(plan) as { readonly Labels: Readonly<Record<string, string>> };
  const isSame = (await containers.labels(container))?.[MADE_OF_LABEL] === body.Labels[MADE_OF_LABEL];
  if (isSame && (await containers.pid(container)) !== 0) return true;
  if (!isSame) {
    await containers.stop(container);
    await containers.remove(container);
    await containers.create(container, body);
  }
  const configuration = await configurationFiles(context);
  if (configuration !== undefined) {
    await engine.put(`/containers/${container}/archive`, { query: { path: GATEWAY_DIRECTORY }, body: configuration });
  }
  if (isSame) await containers.setRestart(container, "always");
  await containers.start(container);
  return false;
}

/** The user's files of configuration for gateways, as they are now, below the gateway's directory. */
async function configurationFiles({ environment }: CommandContext) {
  const paths = globSync(join(configDirectory(environment), "*.yaml"));
  if (paths.length === 0) return undefined;
  const { pack } = await import("tar-stream");
  const archive = pack();
  const directory = relative(GATEWAY_DIRECTORY, gatewayConfigDirectory);
  for (const path of paths) {
    archive.entry({ name: join(directory, basename(path)), mode: 0o600 }, readFileSync(path));
  }
  archive.finalize();
  return archive;
}

/** Registers it as soon as it has written down who may call it. */
export async function untilItAnswers(gateway: ContainerGateway, { reach, context }: Doing): Promise<void> {
  const container = gatewayContainerName(gateway.name);
  const directory = configDirectory(context.environment);
  for (
    const deadline = performance.now() + START_TIMEOUT_MS;
    performance.now() < deadline;
    await delay(LOOK_EVERY_MS)
  ) {
    if ((await reach.containers.pid(container)) === 0) break;
    const bundle = await readBundle(gateway, reach);
    if (bundle === undefined) continue;
    writeMtlsBundle(directory, gateway.name, bundle);
    writeGatewayEntry(directory, entryOf(gateway));
    if (await answers(gateway, context)) return;
  }
  throw new CommandFailure(
    `the gateway does not start in its container: ${await reach.containers.lastWords(container)}`,
    {
      hint: `\`${gateway.engine.name} logs ${container}\` tells more`,
    },
  );
}

async function readBundle({ name }: ContainerGateway, { containers }: Reach) {
  const path = join(gatewayConfigDirectory, "gateways", name, "mtls");
  const files = await containers.files(gatewayContainerName(name), path);
  const [ca, certificate, key] = ["ca.crt", "tls.crt", "tls.key"].map((file) => files.get(join("mtls", file)));
  return ca && certificate && key ? { ca, certificate, key } : undefined;
}

async function answers({ name }: ContainerGateway, context: CommandContext): Promise<boolean> {
  try {
    const { channel } = await connectGateway(
      gatewayTarget({ ...context.globals, gateway: name }, context.environment),
      context,
    );
    using _closed = channel;
    await channel.unary(health, {});
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const free = (port: number) =>
    new Promise<number | undefined>((resolve) => {
      const server = createServer().once("error", () => resolve(undefined));
      server.listen(port, "127.0.0.1", () => {
        const address = server.address();
        server.close(() => resolve(typeof address === "object" ? address?.port : undefined));
      });
    });
  const port = (await free(USUAL_PORT)) ?? (await free(0));
  if (port === undefined) throw new CommandFailure("no port of this machine is free");
  return port;
}
