/**
 * The container engine of a world whose sandboxes are made from an image: a private one, with its state in the world's
 * directory, which ends with the world. Nothing is pulled: there is no network.
 */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { packBaseImage } from "./base-image.ts";
import { type Driver, driverOf, driverVariable, world } from "./world.ts";

type EngineName = Exclude<Driver, "local">;

/** What sandboxes are made from unless a test says otherwise. */
export const baseImage = "openshell-e2e:base";

/** In the world's own /run, where each listens usually. */
const sockets: Readonly<Record<EngineName, string>> = { docker: "/run/docker.sock", podman: "/run/podman/podman.sock" };

/** In the world's directory. */
const pidName = "engine.pid";

/** A cold engine opens some databases; on a machine that has much else to do that takes a while. */
const startTimeout = 60_000;
const lookEvery = 20;

/** What an engine's commands, and gateways, find it by; nothing where there is none. */
export function engineEnvironment(): Record<string, string> {
  const driver = driverOf(process.env[driverVariable]);
  if (driver === "local") return {};
  return {
    [driver === "docker" ? "DOCKER_HOST" : "CONTAINER_HOST"]: `unix://${sockets[driver]}`,
    OPENSHELL_DRIVERS: driver,
    OPENSHELL_SANDBOX_IMAGE: baseImage,
  };
}

/** Starts it and gives it the base image. It goes on when this process ends. */
export async function startEngine(name: EngineName, directory: string): Promise<void> {
  await launch(name, directory);
  importImage(name, baseImage, packBaseImage(directory));
  // Shows that it can run one, and leaves what an engine mounts for the first only: tests look for mounts that stay.
  engineCommand(name, ["run", "--rm", "--network", "host", baseImage, "true"]);
}

/** Ends the world's engine at once, as the kernel would for lack of memory. Containers are not its children. */
export async function killEngine(): Promise<void> {
  const { driver, directory } = world();
  const pid = Number(readFileSync(join(directory, pidName), "utf8"));
  process.kill(pid, "SIGKILL");
  while (existsSync(`/proc/${pid}/exe`)) await wait(lookEvery);
  // Of a killed dockerd the file stays, and another would not start.
  if (driver === "docker") for (const path of [sockets.docker, "/run/engine.pid"]) rmSync(path, { force: true });
}

/** Starts it again, with all that it had. */
export async function restartEngine(): Promise<void> {
  const { driver, directory } = world();
  if (driver !== "local") await launch(driver, directory);
}

async function launch(name: EngineName, directory: string): Promise<void> {
  mkdirSync(dirname(sockets[name]), { recursive: true });
  const logPath = join(directory, "engine.log");
  const log = openSync(logPath, "a");
  const [program = "", ...args] = commands[name](directory);
  const engine = spawn(program, args, { detached: true, stdio: ["ignore", log, log] });
  engine.unref();
  writeFileSync(join(directory, pidName), String(engine.pid));
  closeSync(log);
  let ended = false;
  for (const event of ["error", "exit"]) engine.once(event, () => (ended = true));
  for (const deadline = Date.now() + startTimeout; !answers(name); await wait(lookEvery)) {
    if (ended || Date.now() > deadline) throw new Error(`${program} does not start:\n${readFileSync(logPath, "utf8")}`);
  }
  // As for the members of an engine's group.
  chmodSync(sockets[name], 0o666);
}

/** No bridge and no rules: the world's network is the tests'. */
const commands: Readonly<Record<EngineName, (directory: string) => string[]>> = {
  docker: (directory) => [
    "dockerd",
    ...["--data-root", join(directory, "engine"), "--exec-root", "/run/engine", "--pidfile", "/run/engine.pid"],
    ...["--host", `unix://${sockets.docker}`, "--iptables=false", "--ip6tables=false", "--bridge=none"],
    ...["--cgroup-parent", cgroupParent(directory)],
  ],
  podman: (directory) => [
    "podman",
    ...[
      "--root",
      join(directory, "engine"),
      "--runroot",
      "/run/engine",
      "--cgroup-manager",
      "cgroupfs",
      "--events-backend",
      "file",
      "--runtime",
      "runc",
    ],
    ...["system", "service", "--time", "0", `unix://${sockets.podman}`],
  ],
};

/** Where the engine of the world in this directory has its control groups: in the machine's tree, which outlives it. */
export const cgroupParent = (directory: string): string => `/${basename(dirname(directory))}-${basename(directory)}`;

function answers(name: EngineName): boolean {
  if (!existsSync(sockets[name])) return false;
  try {
    engineCommand(name, ["version"]);
    return true;
  } catch {
    return false;
  }
}

/** An image of an archive (a path) of its root file system; `changes` are lines of a Dockerfile. */
export function importImage(name: EngineName, image: string, archive: string, changes: readonly string[] = []): void {
  engineCommand(name, ["import", ...changes.flatMap((change) => ["--change", change]), archive, image]);
}

/** Runs a command of the engine's own client. Throws with what it says if it fails. */
export function engineCommand(name: EngineName, args: readonly string[]): string {
  const remote = name === "podman" ? ["--remote", "--url", `unix://${sockets.podman}`] : [];
  const env = { PATH: process.env["PATH"], ...engineEnvironment() };
  return execFileSync(name, [...remote, ...args], { encoding: "utf8", env, stdio: ["ignore", "pipe", "pipe"] });
}
