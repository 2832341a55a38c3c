/**
 * Runs the end-to-end tests in worlds of their own (e2e/support/world.ts).
 *
 *     node scripts/e2e.ts [--keep-build] [--driver=local|docker|podman] [--essentials] [--worlds=N] [--events=FILE] [FILE…]
 *
 * `--driver` makes the tests' sandboxes of an image, in an engine that the world starts for itself. `--essentials` runs
 * those tests only that say most of a driver, and nothing where its engine is not installed.
 * `--worlds` is how many files run at the same time, each in a world of its own: one for each processor, if not given, and
 * one where an engine must be started for it.
 * `--events` keeps the audit events of all tests, for a check against the OCSF schema.
 * Works as root, and as an ordinary user where user namespaces are allowed. A file that failed is run once more, by itself;
 * if it passes then, it is named as unsteady. What the failures said is the end of the output. Exits with 1 if a file failed
 * both times.
 */
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type OpenWorld, openWorld } from "../e2e/support/open-world.ts";
import { installPythonPackages } from "../e2e/support/python-packages.ts";
import { driverOf } from "../e2e/support/world.ts";

/** What differs most with who makes the sandbox. Everything else is worth a run by hand when a driver has changed. */
const essentials = [
  "e2e/containers/*.test.ts",
  "e2e/attacks/other-processes.test.ts",
  "e2e/decision-path/three-ways.test.ts",
  "e2e/isolation/{limits,network}.test.ts",
  "e2e/lifecycle/returns.test.ts",
];

/** That so many are unsteady at once is no accident: then nothing is run again. */
const MOST_UNSTEADY = 3;

const packageDirectory = join(import.meta.dirname, "..");
const args = process.argv.slice(2);
const eventsFile = optionValue("--events");
const driver = driverOf(optionValue("--driver"));
const worlds = Number(optionValue("--worlds") ?? (driver === "local" ? availableParallelism() : 1));
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
chmodSync(directory, 0o755);
let worldsMade = 0;
if (eventsFile !== undefined) {
  mkdirSync(dirname(eventsFile), { recursive: true });
  writeFileSync(eventsFile, "");
}
try {
  installPythonPackages(directory, files);
  const failures = await runAll(files, worlds);
  const again = await runAgain(failures);
  for (const { test, output } of failures) process.stdout.write(`\nfailed: ${test}\n${output}`);
  console.log(`\n${files.length} test files, of which ${again.length} failed`);
  for (const { test } of again) console.log(`  ${test}`);
  for (const { test } of failures.filter((failure) => !again.some(({ test }) => test === failure.test))) {
    console.log(`  ${test} is unsteady: it failed among the others, and passed by itself`);
  }
  process.exitCode = again.length > 0 ? 1 : 0;
} finally {
  rmSync(directory, { recursive: true, force: true });
}

interface Failure {
  readonly test: string;
  readonly output: string;
}

/** Runs the tests, each in the world that is free first, and prints what they print. Gives those that failed. */
async function runAll(tests: readonly string[], most: number): Promise<Failure[]> {
  const left = [...tests];
  const failures: Failure[] = [];
  const inWorlds = async () => {
    while (left.length > 0) {
      worldsMade += 1;
      await using world = await openWorld(join(directory, `world-${worldsMade}`), packageDirectory, driver);
      const isAllPassed = await runUntilOneFails(world);
      if (eventsFile !== undefined) appendFileSync(eventsFile, readFileSync(world.eventsFile));
      if (isAllPassed) return;
    }
  };
  // What a failed test has left behind is no other test's fault: the next one has a new world.
  const runUntilOneFails = async (world: OpenWorld) => {
    for (let test = left.shift(); test !== undefined; test = left.shift()) {
      const { isPassed, output } = await world.run(test);
      process.stdout.write(`\n${test}\n${output}`);
      if (isPassed) continue;
      failures.push({ test, output });
      return false;
    }
    return true;
  };
  await Promise.all(Array.from({ length: Math.min(most, tests.length) }, inWorlds));
  return failures;
}

/** One at a time. Gives those that fail again. */
async function runAgain(failures: readonly Failure[]): Promise<readonly Failure[]> {
  if (failures.length > MOST_UNSTEADY) return failures;
  const tests = failures.map(({ test }) => test);
  return runAll(tests, 1);
}

function optionValue(option: string): string | undefined {
  return args.find((arg) => arg.startsWith(`${option}=`))?.slice(option.length + 1);
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
