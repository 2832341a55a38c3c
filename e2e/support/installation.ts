/**
 * OpenShell as one user has it installed: the real CLI, with a home and XDG directories of its own, and the gateway that
 * it starts by itself. Disposing of it deletes its sandboxes, stops its gateway, and fails if anything is left, or if a
 * secret that the gateway was given is anywhere but sealed in its database.
 */
import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { appendFileSync, chownSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import type { OcsfEvent } from "../../src/ocsf/ocsf-event.ts";
import { whereFound } from "./canary.ts";
import { engineEnvironment } from "./engine.ts";
import { keptSecrets } from "./kept-secrets.ts";
import { expectNothingLeft, takeBaseline } from "./leftovers.ts";
import { openTerminal, type Terminal } from "./terminal.ts";
import { isInContainers, type tester, world, worldPaths } from "./world.ts";

export interface InstallationOptions {
  /** Default: whoever runs the tests, which is root in the world. */
  readonly user?: typeof tester;
}

export interface CommandOptions {
  /** Standard input. Default: empty. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Open files that the command inherits from 3 on, as from a careless caller. */
  readonly descriptors?: readonly number[];
  /** Milliseconds after which the command is killed and the test fails. Default: 30,000; with an engine 120,000. */
  readonly timeout?: number;
}

/** A command that has ended. */
export interface Finished {
  /** Undefined if a signal ended it. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface Running {
  readonly stdin: Writable;
  /** Read by `finished` too, which gives all that came; listen to it for what comes meanwhile. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  readonly finished: Promise<Finished>;
}

export interface Installation extends AsyncDisposable {
  /** The user's home directory. */
  readonly home: string;
  /** The gateway's state: database, sandboxes, logs. */
  readonly stateDirectory: string;
  /** Runs `openshell ARGS…` to its end. */
  run(args: readonly string[], options?: CommandOptions): Promise<Finished>;
  /** Starts `openshell ARGS…`. */
  start(args: readonly string[], options?: CommandOptions): Running;
  /** Runs `openshell ARGS…` on a terminal. */
  openTerminal(args: readonly string[], size: { readonly columns: number; readonly rows: number }): Terminal;
  /** Runs another program of the machine as this user would, to its end. */
  runProgram(command: readonly string[], options?: CommandOptions): Promise<Finished>;
  /** Starts another program of the machine as this user would. */
  startProgram(command: readonly string[], options?: CommandOptions): Running;
  /** The audit events of all sandboxes that exist, in the order of each sandbox's log. */
  events(): OcsfEvent[];
}

/**
 * Long enough for a command on a machine that has much else to do; a test that needs more hangs. An engine writes every
 * container to the disk, and the first sandbox waits for the runtime's image.
 */
const defaultTimeout = (): number => (isInContainers() ? 120_000 : 30_000);

export function install({ user }: InstallationOptions = {}): Installation {
  const baseline = takeBaseline();
  // Short, since the paths of Unix sockets are limited to 107 bytes.
  const home = mkdtempSync(join(world().directory, "h"));
  const runtime = join(home, "run");
  mkdirSync(runtime, { mode: 0o700 });
  for (const directory of user ? [home, runtime] : []) chownSync(directory, user?.uid ?? 0, user?.gid ?? 0);
  const stateDirectory = join(home, ".local", "state", "openshell");
  const startProgram = (command: readonly string[], options: CommandOptions = {}) =>
    startCommand(command, { ...options, env: { ...environment(home, runtime), ...options.env } }, user);
  const runProgram = (command: readonly string[], options?: CommandOptions) => {
    const running = startProgram(command, options);
    running.stdin.end(options?.input ?? "");
    return running.finished;
  };
  const openshell = join(world().packageDirectory, "bin", "openshell");
  const start = (args: readonly string[], options?: CommandOptions) => startProgram([openshell, ...args], options);
  /** All that the gateway was ever given, as far as commands were run to their end. */
  const secrets = new Set<string>();
  const run = async (args: readonly string[], options?: CommandOptions) => {
    const finished = await runProgram([openshell, ...args], options);
    if (args[0] === "provider") for (const secret of await keptSecrets(stateDirectory)) secrets.add(secret);
    return finished;
  };
  return {
    home,
    stateDirectory,
    run,
    start,
    openTerminal: (args, size) =>
      openTerminal([openshell, ...args], { ...size, user, env: environment(home, runtime), cwd: world().directory }),
    runProgram,
    startProgram,
    events: () => auditLines(stateDirectory).map((line): OcsfEvent => JSON.parse(line)),
    async [Symbol.asyncDispose]() {
      keepEvents(auditLines(stateDirectory));
      for (const secret of await keptSecrets(stateDirectory)) secrets.add(secret);
      const found = whereFound([...secrets], home);
      await run(["sandbox", "delete", "--all"]);
      await run(["gateway", "stop"]);
      for (const kind of ["sandboxes", "containers"]) await expectNothingLeft(baseline, join(stateDirectory, kind));
      rmSync(home, { recursive: true });
      assert.deepEqual(found, [], "secrets of the gateway's are where nobody may have them");
    },
  };
}

/** Nothing of the environment of whoever runs the tests, so that a result does not depend on it. */
function environment(home: string, runtime: string): Record<string, string> {
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: home,
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_STATE_HOME: join(home, ".local", "state"),
    XDG_RUNTIME_DIR: runtime,
    LANG: "C.UTF-8",
    ...engineEnvironment(),
  };
}

function startCommand(command: readonly string[], options: CommandOptions, user: typeof tester | undefined): Running {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    env: { ...options.env },
    cwd: world().directory,
    stdio: ["pipe", "pipe", "pipe", ...(options.descriptors ?? [])],
    ...(user && { uid: user.uid, gid: user.gid }),
    // Node's types know of three pipes only where nothing follows them.
  }) as ChildProcessWithoutNullStreams;
  const timer = setTimeout(() => child.kill("SIGKILL"), options.timeout ?? defaultTimeout());
  // A command that does not read all its input is no failure of the test.
  child.stdin.on("error", () => {});
  const ended = new Promise<Pick<Finished, "code" | "signal">>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }));
  }).finally(() => clearTimeout(timer));
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    pid: child.pid ?? 0,
    kill: (signal) => void child.kill(signal),
    finished: Promise.all([ended, output]).then(([end, [stdout, stderr]]) => ({ ...end, stdout, stderr })),
  };
}

function auditLines(stateDirectory: string): string[] {
  const files = globSync("{sandboxes,containers}/*/logs/openshell-ocsf.*.log", { cwd: stateDirectory }).sort();
  return files
    .flatMap((file) => readFileSync(join(stateDirectory, file), "utf8").trimEnd().split("\n"))
    .filter(Boolean);
}

/** `scripts/e2e.ts` hands the events of all tests to whoever wants to check them against the schema. */
function keepEvents(lines: readonly string[]): void {
  appendFileSync(join(world().directory, worldPaths.events), lines.map((line) => `${line}\n`).join(""));
}
