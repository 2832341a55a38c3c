/**
 * Makes a world for tests (world.ts) and runs test files in it, one after another: they share the gateway's port, and each
 * looks whether anything is left behind. Worlds have nothing in common, so that several can be at work at once.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, globSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { cgroupParent } from "./engine.ts";
import { openRegistryDoor } from "./registry.ts";
import type { TestRun } from "./run-tests.ts";
import { type Driver, driverVariable, worldPaths, worldVariable } from "./world.ts";

/**
 * A shell is the world's first process, since it collects the processes that are orphaned there, as Node would not.
 * The first four words furnish the world; the others are what runs in it.
 */
const firstProcess = ["sh", "-c", '"$1" "$2" "$3" "$4" || exit 1; shift 4; "$@"; exit $?', "sh"];

export interface OpenWorld extends AsyncDisposable {
  /** Audit events of the tests that have run, one JSON object a line. */
  readonly eventsFile: string;
  /** Runs a test file, named from the package's directory. Throws when the world has ended. */
  run(test: string): Promise<TestRun>;
}

/** A world whose files are in `directory`, which is made, and left for the caller to remove. */
export async function openWorld(directory: string, packageDirectory: string, driver: Driver): Promise<OpenWorld> {
  mkdirSync(directory);
  // The ordinary user of the tests passes through it.
  chmodSync(directory, 0o755);
  const eventsFile = join(directory, worldPaths.events);
  writeFileSync(eventsFile, "");
  const door = await openRegistryDoor(directory);
  const furnish = [process.execPath, "e2e/support/enter-world.ts", directory, packageDirectory];
  const runner = [process.execPath, "e2e/support/run-tests.ts"];
  const child = spawn("unshare", [...namespaces(), ...firstProcess, ...furnish, ...runner], {
    cwd: packageDirectory,
    stdio: ["pipe", "inherit", "inherit", "pipe"],
    env: { ...process.env, [worldVariable]: directory, [driverVariable]: driver },
  });
  const ended = once(child, "exit");
  // Who writes to a world that has ended hears of it by its answers' end.
  child.stdin?.on("error", () => {});
  // The world's first process gets no signal that it has not asked for, so what this one gets ends it for good.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill("SIGKILL"));
  const answers = createInterface(child.stdio[3] as Readable)[Symbol.asyncIterator]();
  return {
    eventsFile,
    async run(test) {
      child.stdin?.write(`${test}\n`);
      const { done, value } = await answers.next();
      if (done) throw new Error(`the tests' world ended before ${test} did`);
      return JSON.parse(value);
    },
    async [Symbol.asyncDispose]() {
      child.stdin?.end();
      await ended;
      await door[Symbol.asyncDispose]();
      removeControlGroups(cgroupParent(directory));
    },
  };
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
