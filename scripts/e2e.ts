/**
 * Runs the end-to-end tests in a world of their own (e2e/support/world.ts).
 *
 *     node scripts/e2e.ts [--keep-build] [--driver=local|docker|podman] [--essentials] [--events=FILE] [FILE…]
 *
 * `--driver` makes the tests' sandboxes of an image, in an engine that the world starts for itself. `--essentials` runs
 * those tests only that say most of a driver, and nothing where its engine is not installed.
 * `--events` keeps the audit events of all tests, for a check against the OCSF schema.
 * Works as root, and as an ordinary user where user namespaces are allowed. Exits with the tests' exit code.
 */
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, globSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cgroupParent } from "../e2e/support/engine.ts";
import { installPythonPackages } from "../e2e/support/python-packages.ts";
import { openRegistryDoor } from "../e2e/support/registry.ts";
import { driverOf, driverVariable, worldPaths, worldVariable } from "../e2e/support/world.ts";

/**
 * A shell is the world's first process, since it collects the processes that are orphaned there, as Node would not.
 * The first four words furnish the world; the others are what runs in it.
 */
const firstProcess = ["sh", "-c", '"$1" "$2" "$3" "$4" || exit 1; shift 4; "$@"; exit $?', "sh"];

/** What differs most with who makes the sandbox. Everything else is worth a run by hand when a driver has changed. */
const essentials = [
  "e2e/containers/*.test.ts",
  "e2e/attacks/other-processes.test.ts",
  "e2e/decision-path/three-ways.test.ts",
  "e2e/isolation/{limits,network}.test.ts",
  "e2e/lifecycle/returns.test.ts",
];

/** No test takes a tenth of it; one that hangs must not hang the others. */
const hungTestMs = 300_000;

const packageDirectory = join(import.meta.dirname, "..");
const args = process.argv.slice(2);
const eventsFile = args.find((arg) => arg.startsWith("--events="))?.slice("--events=".length);
const driver = driverOf(args.find((arg) => arg.startsWith("--driver="))?.slice("--driver=".length));
const named = args.filter((arg) => !arg.startsWith("--"));
const globs = args.includes("--essentials") ? essentials : ["e2e/**/*.test.ts"];
const files = named.length > 0 ? named : globSync(globs, { cwd: packageDirectory }).filter(isForDriver).sort();

const missing = args.includes("--essentials") ? whyNoEngine() : undefined;
if (missing !== undefined) {
  console.log(`end-to-end tests over ${driver} are left out: ${missing}`);
  process.exit(0);
}
if (!args.includes("--keep-build")) build();
const directory = mkdtempSync(join(tmpdir(), "openshell-e2e-"));
// The ordinary user of the tests passes through it.
chmodSync(directory, 0o755);
const events = join(directory, worldPaths.events);
writeFileSync(events, "");
installPythonPackages(directory, files);
const door = await openRegistryDoor(directory);
try {
  process.exitCode = await runInWorld(files);
  if (eventsFile !== undefined) {
    mkdirSync(dirname(eventsFile), { recursive: true });
    copyFileSync(events, eventsFile);
  }
} finally {
  await door[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
  removeControlGroups(cgroupParent(directory));
}

function isForDriver(file: string): boolean {
  return driver !== "local" || !file.startsWith("e2e/containers/");
}

/** Why this machine can't start an engine for the tests; undefined: it can. */
function whyNoEngine(): string | undefined {
  if (driver === "local") return undefined;
  if (process.geteuid?.() !== 0) return "only root can start an engine for them";
  const program = driver === "docker" ? "dockerd" : "podman";
  const { error } = spawnSync(program, ["--version"], { stdio: "ignore" });
  return error && `${program} is not installed (Debian's package ${driver === "docker" ? "docker.io" : "podman"})`;
}

function build(): void {
  const { status } = spawnSync(process.execPath, ["scripts/build.ts"], { cwd: packageDirectory, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/** The exit code of `node --test` on the files, inside a new world. */
async function runInWorld(tests: readonly string[]): Promise<number> {
  // One file after another: they share the gateway's port, and each looks whether anything is left behind.
  const run = [process.execPath, "--test", "--test-concurrency=1", `--test-timeout=${hungTestMs}`, ...tests];
  const furnish = [process.execPath, "e2e/support/enter-world.ts", directory, packageDirectory];
  const child = spawn("unshare", [...namespaces(), ...firstProcess, ...furnish, ...run], {
    cwd: packageDirectory,
    stdio: "inherit",
    env: { ...process.env, [worldVariable]: directory, [driverVariable]: driver },
  });
  // The world's first process gets no signal that it has not asked for, so what this one gets ends it for good.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill("SIGKILL"));
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

/**
 * unshare(1): all namespaces that a test could leave something in. --kill-child ends everything in the world with it.
 */
function namespaces(): string[] {
  const own = ["--net", "--mount", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"];
  return process.geteuid?.() === 0 ? own : ["--user", "--map-root-user", ...own];
}

/** They outlive the engine that has made them. Of version 1 there is a tree for each controller. */
function removeControlGroups(name: string): void {
  const groups = globSync([`/sys/fs/cgroup${name}`, `/sys/fs/cgroup/*${name}`]).flatMap((top) => [
    ...globSync(join(top, "**/*/")),
    top,
  ]);
  // The innermost first, since a group is removed when it has none in it.
  for (const path of groups.sort((one, other) => other.length - one.length)) rmdirSync(path);
}
