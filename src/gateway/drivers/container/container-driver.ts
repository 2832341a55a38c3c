/**
 * Sandboxes in the containers of an engine, from images: the agent's container, which lasts as long as the sandbox, and for
 * each start the supervisor's beside it. The engine is this machine's: supervisors are found by their processes, and reach
 * the gateway by its socket.
 */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Containers } from "../../../engine/containers.ts";
import { Engine, type EngineAddress, EngineRefusal } from "../../../engine/engine.ts";
import { GATEWAY_DIRECTORY, GATEWAY_LABEL, gatewayIdOf, SANDBOX_LABEL } from "../../../engine/gateway-container.ts";
import { ensureRuntime, hasRuntime, type Runtime } from "../../../engine/runtime-image.ts";
import { memoryEventsOf } from "../../../linux/cgroups.ts";
import { processStartTime } from "../../../linux/process-stat.ts";
import { systemCertificates } from "../../../net/system-certificates.ts";
import type { LaunchSpec } from "../../../supervisor/launch-spec.ts";
import { removeTree } from "../../files/remove-tree.ts";
import type { GatewayLog } from "../../gateway-log.ts";
import { failedPrecondition, notAvailable, unavailable } from "../../refuse.ts";
import type { BuildPlan, Demands, ImageSource, Placement, PreparedSupervisor, SupervisorProcess } from "../driver.ts";
import { isRunning } from "../local/kill-processes.ts";
import {
  agentBody,
  agentName,
  type ContainerPlan,
  networkBody,
  removalBody,
  supervisorBody,
  supervisorName,
  supervisorView,
} from "./container-bodies.ts";
import { withExtras } from "./extras.ts";
import { type ImageFacts, Images } from "./image-facts.ts";
import { buildImage, pullImage } from "./pull-and-build.ts";
import { makeSandboxFiles, seccompOption } from "./sandbox-files.ts";

const LOOK_EVERY_MS = 500;

export interface ContainerDriverOptions {
  readonly stateDirectory: string;
  /** Where supervisors find the gateway. */
  readonly socketPath: string;
  /** The supervisor's program. */
  readonly supervisorEntry: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Authorities (PEM) that are trusted besides the system's and the image's. */
  readonly extraCertificates: string;
  /** The engine to use; undefined: there is none. */
  readonly engine: () => EngineAddress | undefined;
  readonly log: GatewayLog;
  /** The gateway's own state, configuration and sockets. */
  readonly privateDirectories: readonly string[];
  /** Present where the gateway is in a container itself. */
  readonly contained: Contained | undefined;
}

/** What a gateway in a container has to be told of it. */
export interface Contained {
  /** Where the engine has the volume that is the gateway's directory. */
  readonly volumePath: string;
  /** Of the programs that it runs itself. */
  readonly runtime: Runtime;
}

/** What is known of the engine once it has been asked. */
interface Reach {
  readonly engine: Engine;
  readonly containers: Containers;
  readonly images: Images;
}

export class ContainerDriver implements ImageSource {
  readonly #options: ContainerDriverOptions;
  readonly #base: string;
  readonly #gatewayId: string;
  #reach: Promise<Reach> | undefined;
  #runtime: Promise<Runtime> | undefined;

  constructor(options: ContainerDriverOptions) {
    this.#options = options;
    this.#base = join(options.stateDirectory, "containers");
    this.#gatewayId = gatewayIdOf(this.#onMachine(options.stateDirectory));
    mkdirSync(this.#base, { recursive: true, mode: 0o700 });
  }

  async claim(demands: Demands, image: string): Promise<PreparedSupervisor> {
    const placement = { sandboxId: randomUUID(), image };
    try {
      return await this.prepare(placement, demands);
    } catch (error) {
      // What can't be removed now is swept at the gateway's next start.
      await this.remove(placement).catch(() => undefined);
      throw error;
    }
  }

  async policyOf(image: string): Promise<string | undefined> {
    return (await this.#factsOf(image)).policy;
  }

  async *pull(image: string, signal: AbortSignal): AsyncGenerator<string, string> {
    const { engine } = await this.#engine();
    return yield* pullImage(engine, image, signal);
  }

  async *build(plan: BuildPlan, signal: AbortSignal): AsyncGenerator<string, string> {
    const { engine } = await this.#engine();
    return yield* buildImage(engine, plan, signal);
  }

  async prepare(placement: Placement, asked: Demands): Promise<PreparedSupervisor> {
    try {
      return await this.#prepare(placement, asked);
    } catch (error) {
      // What an engine says of a folder, a device or a limit that it does not take is for whoever asked for it.
      if (error instanceof EngineRefusal) throw failedPrecondition(`the container engine refused: ${error.message}`);
      throw error;
    }
  }

  async #prepare(placement: Placement, asked: Demands): Promise<PreparedSupervisor> {
    const { sandboxId, image = "" } = placement;
    refuseWhatIsMissing(asked);
    const { engine, containers } = await this.#engine();
    const { demands, extras } = await withExtras(asked, engine, this.#options.privateDirectories);
    const facts = await this.#factsOf(image);
    const own = join(this.#base, sandboxId);
    const directory = this.#onMachine(own);
    makeSandboxFiles(own, facts);
    const { socketPath, environment } = this.#options;
    const plan: Omit<ContainerPlan, "runtime"> = {
      ...{ sandboxId, gatewayId: this.#gatewayId, facts, demands, extras, directory, environment },
      gatewayDirectory: this.#onMachine(dirname(socketPath)),
      seccomp: seccompOption(engine.name, { own, onMachine: directory }),
    };
    try {
      return await this.#withRuntime(engine, async (runtime) => {
        await startAgent(containers, { ...plan, runtime });
        return await this.#superviseIn(containers, { ...plan, runtime }, placement);
      });
    } catch (error) {
      await this.kill(placement).catch(() => undefined);
      throw error;
    }
  }

  isHere({ sandboxId }: Placement): boolean {
    return existsSync(join(this.#base, sandboxId));
  }

  async kill({ sandboxId }: Placement): Promise<void> {
    const { containers } = await this.#engine();
    // The supervisor is in its process namespace, and ends with it.
    await containers.kill(agentName(sandboxId));
    await containers.remove(supervisorName(sandboxId));
  }

  async remove({ sandboxId }: Placement): Promise<void> {
    const { engine, containers } = await this.#engine();
    const agent = agentName(sandboxId);
    for (const name of [supervisorName(sandboxId), agent]) await containers.remove(name);
    const directory = join(this.#base, sandboxId);
    if (process.geteuid?.() !== 0 && existsSync(directory)) {
      await this.#withRuntime(engine, (runtime) =>
        containers.run(`${agent}-removal`, removalBody(runtime, this.#onMachine(directory))),
      );
    }
    await removeTree(directory);
  }

  /** An engine that can't be asked now keeps what it has until the next start of the gateway. */
  async sweep(known: readonly Placement[]): Promise<void> {
    // Each has a directory, made before its containers and removed after them: most gateways need not look for an engine.
    if (known.length === 0 && readdirSync(this.#base).length === 0) return;
    const reach = await this.#engine().catch(() => undefined);
    if (reach === undefined) return;
    const { containers } = reach;
    const found = await containers.labelled(SANDBOX_LABEL, { label: GATEWAY_LABEL, value: this.#gatewayId });
    const keep = new Set(known.map(({ sandboxId }) => sandboxId));
    for (const sandboxId of found) if (!keep.has(sandboxId)) await this.remove({ sandboxId });
  }

  async #superviseIn(containers: Containers, plan: ContainerPlan, placement: Placement): Promise<PreparedSupervisor> {
    const { facts, demands, extras } = plan;
    const name = supervisorName(plan.sandboxId);
    await containers.remove(name);
    const { processes, memoryBytes: bytes } = demands.limits;
    const agentPid = await containers.pid(agentName(plan.sandboxId));
    const memoryEvents = bytes === undefined ? undefined : memoryEventsOf(agentPid);
    await containers.create(name, supervisorBody(plan, memoryEvents));
    const { engine } = await this.#engine();
    const orders = await engine.attach(name);
    orders.on("error", () => undefined);
    // What it prints is read from its log once it has ended.
    const closed = new Promise<void>((resolve) => void orders.resume().once("close", resolve));
    await containers.start(name);
    const supervisor = await processOf(containers, name);
    const { directories, etc, socketPath } = supervisorView;
    const extraCertificates = [systemCertificates(), facts.certificates, this.#options.extraCertificates];
    const preparation = {
      sandboxId: plan.sandboxId,
      directories,
      extraCertificates: extraCertificates.filter((pem) => pem !== "").join("\n"),
      container: { socketPath, etc, shell: facts.shell, user: facts.user },
    };
    orders.write(`${JSON.stringify(preparation)}\n`);
    const memory = bytes !== undefined && memoryEvents && { bytes, eventsFile: supervisorView.memoryEvents };
    return {
      placement,
      process: supervisor,
      gateway: { socketPath: join(supervisorView.gateway, basename(this.#options.socketPath)) },
      directories,
      folders: [
        ...demands.folders.map(({ host, target, access }) => ({
          source: host,
          target,
          writable: access === "read-write",
        })),
        ...extras.mounts.map((mount) => {
          return { source: mount.target, target: mount.target, writable: mount.type === "tmpfs" || !mount.readOnly };
        }),
      ],
      limits: { join: [], ...(processes !== undefined && { processes }), ...(memory && { memory }) },
      launch: (spec) => void orders.write(`${JSON.stringify(inImage(spec, facts))}\n`),
      // Its streams close also when the engine goes, which ends no supervisor.
      ended: closed.then(() => whenEnded(supervisor)).then(async () => ({ why: await whyEnded(containers, name) })),
    };
  }

  /** Who asks for an image without having pulled it before, as the published clients do, waits for it here. */
  async #factsOf(image: string): Promise<ImageFacts> {
    const { engine, images } = await this.#engine();
    for await (const line of pullImage(engine, image)) this.#options.log.info(line);
    return await images.facts(image);
  }

  /** Asked for when it is first needed, and again until it has answered. */
  async #engine(): Promise<Reach> {
    this.#reach ??= this.#connect().catch((error: unknown) => {
      this.#reach = undefined;
      throw error;
    });
    return await this.#reach;
  }

  async #connect(): Promise<Reach> {
    const address = this.#options.engine();
    if (address === undefined) {
      throw unavailable("no container engine was found: start Docker or Podman, or say where it is with DOCKER_HOST");
    }
    const engine = await Engine.connect(address, unavailable);
    return { engine, containers: new Containers(engine), images: new Images(engine) };
  }

  /** A path below the state directory as the engine's machine has it, which is not how a gateway in a container sees it. */
  #onMachine(path: string): string {
    const { contained } = this.#options;
    return contained === undefined ? path : join(contained.volumePath, relative(GATEWAY_DIRECTORY, path));
  }

  /** Once more where a gateway of another version has removed the runtime meanwhile, as one that nobody used. */
  async #withRuntime<T>(engine: Engine, start: (runtime: Runtime) => Promise<T>): Promise<T> {
    const runtime = await this.#runtimeIn(engine);
    try {
      return await start(runtime);
    } catch (error) {
      if (await hasRuntime(engine, runtime).catch(() => true)) throw error;
      this.#runtime = undefined;
      return await start(await this.#runtimeIn(engine));
    }
  }

  /** Made for the first sandbox that needs it. */
  async #runtimeIn(engine: Engine): Promise<Runtime> {
    if (this.#options.contained !== undefined) return this.#options.contained.runtime;
    this.#runtime ??= ensureRuntime(engine, this.#options.supervisorEntry).catch((error: unknown) => {
      this.#runtime = undefined;
      throw error;
    });
    return await this.#runtime;
  }
}

/** What a client asks for and would wrongly believe to have got. */
function refuseWhatIsMissing({ folders }: Demands): void {
  const view = folders.find(({ access }) => access === "copy-on-write");
  if (view) throw notAvailable(`a sandbox from an image can't have a view of ${view.host}: use --mount or --upload`);
}

async function startAgent(containers: Containers, plan: ContainerPlan): Promise<void> {
  const name = agentName(plan.sandboxId);
  if (!(await containers.exists(name))) await containers.create(name, agentBody(plan));
  await containers.start(name);
  await containers.run(`${name}-network`, networkBody(plan));
}

/** Throws if this machine does not have it: then its engine is another machine's. */
async function processOf(containers: Containers, name: string): Promise<SupervisorProcess> {
  const pid = await containers.pid(name);
  const startTime = processStartTime(pid);
  if (pid > 0 && startTime !== undefined) return { pid, startTime };
  const why = await containers.lastWords(name);
  throw new Error(`the supervisor's container does not run, or not on this machine${why && `: ${why}`}`);
}

/** Nobody tells of the end of a process that is not this one's child. */
async function whenEnded(supervisor: SupervisorProcess): Promise<void> {
  while (isRunning(supervisor)) await delay(LOOK_EVERY_MS, undefined, { ref: false });
}

async function whyEnded(containers: Containers, name: string): Promise<string> {
  const code = await containers.exitCode(name).catch(() => undefined);
  if (code === undefined) return "the supervisor's container was removed";
  const said = code === 0 ? "" : await containers.lastWords(name).catch(() => "");
  return `the supervisor ended with code ${code}${said && `: ${said}`}`;
}

/** Where the image's programs start, and what they find in their environment. */
function inImage(spec: LaunchSpec, { environment, workdir }: ImageFacts): LaunchSpec {
  return { ...spec, imageEnvironment: environment, workdir: workdir ?? spec.workdir };
}
