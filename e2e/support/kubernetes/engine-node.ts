/**
 * A node for the double of a cluster's API, which runs pods for real in the world's engine: what a kubelet does with the
 * fields that our pods have, each container with the engine's own default filter. The pod's network has an interface that
 * leads into the world.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ApiDouble, type StoredObject } from "../../../src/gateway/test-support/kubernetes/api-double.ts";
import { baseImage, engineCommand } from "../engine.ts";
import { world } from "../world.ts";

/** The world's, as pods see it: on its loopback interface, since a world has no other. */
export const NODE_ADDRESS = "10.99.0.1";

interface Mount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly securityContext: {
    readonly runAsUser: number;
    readonly runAsGroup: number;
    readonly allowPrivilegeEscalation: boolean;
    readonly readOnlyRootFilesystem?: boolean;
    readonly capabilities: { readonly drop: readonly string[]; readonly add?: readonly string[] };
  };
  readonly volumeMounts: readonly Mount[];
}

interface PodSpec {
  readonly hostname: string;
  readonly securityContext: { readonly sysctls: readonly { readonly name: string; readonly value: string }[] };
  readonly initContainers: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
}

export interface EngineNode extends AsyncDisposable {
  readonly api: ApiDouble;
}

export async function startEngineNode(): Promise<EngineNode> {
  const directory = mkdtempSync(join(world().directory, "node-"));
  execFileSync("ip", ["address", "add", `${NODE_ADDRESS}/32`, "dev", "lo"]);
  let pods = 0;
  const onPod = (pod: StoredObject): void => {
    const { name, deletionTimestamp } = pod.metadata;
    // After the answer to whoever made it.
    if (deletionTimestamp === undefined) setImmediate(() => runPod({ api, pod, directory, number: ++pods }));
    else setImmediate(() => endPod(api, name));
  };
  const api = await ApiDouble.start({ onPod });
  return {
    api,
    async [Symbol.asyncDispose]() {
      for (const { metadata } of api.all("Pod")) endPod(api, metadata.name);
      await api[Symbol.asyncDispose]();
      execFileSync("ip", ["address", "del", `${NODE_ADDRESS}/32`, "dev", "lo"]);
      rmSync(directory, { recursive: true });
    },
  };
}

interface Run {
  readonly api: ApiDouble;
  readonly pod: StoredObject;
  readonly directory: string;
  readonly number: number;
}

const docker = (...args: readonly string[]) => engineCommand("docker", args);
const containerName = (pod: string, container: string) => `${pod}.${container}`;

function runPod({ api, pod, directory, number }: Run): void {
  const { name } = pod.metadata;
  const spec = pod.spec as unknown as PodSpec;
  const volumes = join(directory, name);
  makeVolumes(api, spec, volumes);
  const sandbox = containerName(name, "pause");
  const sysctls = spec.securityContext.sysctls.flatMap(({ name: key, value }) => ["--sysctl", `${key}=${value}`]);
  docker(
    "run",
    "--detach",
    "--name",
    sandbox,
    "--network",
    "none",
    "--ipc",
    "shareable",
    "--user",
    "65535",
    "--hostname",
    spec.hostname,
    ...sysctls,
    ...[baseImage, "sleep", "infinity"],
  );
  connect(docker("inspect", "--format", "{{.State.Pid}}", sandbox).trim(), number);
  const status = (name: string, state: object) => ({ name, state });
  const setup = spec.initContainers.map((container) => {
    try {
      docker("run", "--name", containerName(name, container.name), ...argumentsFor(container, sandbox, volumes));
      return status(container.name, { terminated: { exitCode: 0 } });
    } catch (error) {
      return status(container.name, {
        terminated: { exitCode: 1, message: String((error as { stderr?: unknown }).stderr) },
      });
    }
  });
  const isGuarded = setup.every(
    ({ state }) => (state as { terminated: { exitCode: number } }).terminated.exitCode === 0,
  );
  if (!isGuarded) return api.setStatus(name, { phase: "Failed", initContainerStatuses: setup });
  for (const container of spec.containers) {
    docker(
      "run",
      "--detach",
      "--name",
      containerName(name, container.name),
      ...argumentsFor(container, sandbox, volumes),
    );
  }
  const running = spec.containers.map((container) => status(container.name, { running: {} }));
  api.setStatus(name, { phase: "Running", initContainerStatuses: setup, containerStatuses: running });
}

function endPod(api: ApiDouble, pod: string): void {
  const containers = docker("ps", "--all", "--quiet", "--filter", `name=^${pod}\\.`).split("\n").filter(Boolean);
  if (containers.length > 0) docker("rm", "--force", ...containers);
  api.removePod(pod);
}

function makeVolumes(api: ApiDouble, { volumes, containers }: PodSpec, directory: string): void {
  const agent = containers.find(({ name }) => name === "agent")?.securityContext.runAsUser ?? 0;
  for (const { name, secret } of volumes) {
    mkdirSync(join(directory, name), { recursive: true });
    chmodSync(join(directory, name), 0o777);
    const files = secret === undefined ? {} : (api.get("Secret", secret.secretName)?.stringData ?? {});
    for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, name, file), text, { mode: 0o400 });
  }
  // Memory is any folder here.
  chownSync(join(directory, "memory"), agent, agent);
}

function argumentsFor(container: Container, sandbox: string, volumes: string): string[] {
  const { runAsUser, runAsGroup, readOnlyRootFilesystem, capabilities, allowPrivilegeEscalation } =
    container.securityContext;
  const [program = "", ...words] = container.command;
  return [
    ...["--network", `container:${sandbox}`, "--pid", `container:${sandbox}`, "--ipc", `container:${sandbox}`],
    ...["--user", `${runAsUser}:${runAsGroup}`, ...(readOnlyRootFilesystem ? ["--read-only"] : [])],
    ...capabilities.drop.flatMap((capability) => ["--cap-drop", capability]),
    ...(capabilities.add ?? []).flatMap((capability) => ["--cap-add", capability]),
    ...(allowPrivilegeEscalation ? [] : ["--security-opt", "no-new-privileges"]),
    ...(container.env ?? []).flatMap(({ name, value }) => ["--env", `${name}=${value}`]),
    ...container.volumeMounts.flatMap(({ name, mountPath, subPath = "", readOnly }) => {
      return ["--volume", `${join(volumes, name, subPath)}:${mountPath}${readOnly ? ":ro" : ""}`];
    }),
    ...["--entrypoint", program, container.image, ...words],
  ];
}

/** An interface that leads out, as a network plugin makes it; the world's end has no address, and nothing to be found by. */
function connect(pid: string, number: number): void {
  const [outside, address] = [`pod${number}`, `10.99.1.${number}`];
  const inPod = (...args: readonly string[]) => execFileSync("nsenter", ["--target", pid, "--net", "ip", ...args]);
  execFileSync("ip", ["link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", pid]);
  writeFileSync(`/proc/sys/net/ipv6/conf/${outside}/disable_ipv6`, "1");
  execFileSync("ip", ["link", "set", outside, "up"]);
  execFileSync("ip", ["route", "add", address, "dev", outside]);
  inPod("address", "add", `${address}/32`, "dev", "eth0");
  inPod("link", "set", "eth0", "up");
  inPod("route", "add", NODE_ADDRESS, "dev", "eth0");
  inPod("route", "add", "default", "via", NODE_ADDRESS);
}
