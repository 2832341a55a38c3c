/**
 * Starts this machine's gateway in the background. Several commands may do so at the same moment: the gateway's own lock
 * lets exactly one live, and all of them wait for that one.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statfsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { compileCacheDirectory } from "../../locations/compile-cache.ts";
import { type RunningGateway, readRunningGateway } from "../../locations/running-gateway.ts";
import { runtimeDirectory } from "../../locations/runtime-directory.ts";
import { gatewayLogPath, stateDirectory } from "../../locations/state-directory.ts";
import type { Environment, Installation } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";

/** Opening the database and making keys takes a fraction of a second; a machine that swaps gets its time. */
const START_TIMEOUT_MS = 20_000;

/** How often to look: a stat-sized read, short beside the gateway's own start. */
const LOOK_EVERY_MS = 5;

/** What the gateway's program ends with when another gateway has the state. */
const EXIT_ALREADY_RUNNING = 3;

/** That other one either answers soon, or is just stopping, and then its place is free. */
const TRY_AGAIN_AFTER_MS = 200;

/** Enough of the log for the reason, not so much that the error scrolls away. */
const LOG_TAIL_LINES = 12;

interface StartOptions {
  readonly environment: Environment;
  readonly installation: Installation;
}

/** @returns the gateway that runs, be it this one or one that was there first. Throws CommandFailure. */
export async function startLocalGateway(
  { environment, installation }: StartOptions,
  gatewayArguments: readonly string[] = [],
): Promise<RunningGateway> {
  const state = stateDirectory(environment);
  const running = readRunningGateway(state);
  if (running) return running;
  prepareGatewayStart({ environment, installation });
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const started = await waitForEither(
      spawnGateway({ environment, installation }, state, gatewayArguments),
      state,
      deadline,
    );
    if (started.kind === "running") return started.gateway;
    if (started.kind === "failed") break;
    await delay(TRY_AGAIN_AFTER_MS);
  }
  const { bavail } = statfsSync(state);
  throw new CommandFailure("the local gateway does not start", {
    code: "unavailable",
    hint:
      bavail === 0
        ? `the disk is full: make room in the file system of ${state}, or set XDG_STATE_HOME`
        : `its log, ${gatewayLogPath(state)}, ends with:\n${logTail(gatewayLogPath(state))}`,
  });
}

/** Looks for what a start needs, and makes it where it can be made. Throws CommandFailure. */
export function prepareGatewayStart({ environment, installation }: StartOptions): void {
  if (!existsSync(installation.gatewayProgram)) {
    throw new CommandFailure(`the gateway's program is missing: ${installation.gatewayProgram}`, {
      hint: "run `npm ci` again; it builds the programs",
    });
  }
  makeDirectories(environment, stateDirectory(environment));
}

/** Makes the directories that it needs, and its log, here where somebody reads why that can't be done. Throws CommandFailure. */
function makeDirectories(environment: Environment, state: string): void {
  const needed = [
    { variable: "XDG_STATE_HOME", make: () => mkdirSync(state, { recursive: true, mode: 0o700 }) },
    // Where the directory was made by an earlier gateway, and can't be written to any more.
    { variable: "XDG_STATE_HOME", make: () => closeSync(openSync(gatewayLogPath(state), "a", 0o600)) },
    { variable: "XDG_RUNTIME_DIR", make: () => runtimeDirectory(environment, state) },
  ];
  for (const { variable, make } of needed) {
    try {
      make();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new CommandFailure(`the local gateway has no place for its files: ${reason}`, {
        hint: `set ${variable} to a directory of your own; \`openshell doctor\` tells more`,
      });
    }
  }
}

/**
 * What a gateway needs of the environment. It is there for longer than the command that happened to start it, and must
 * not hold that one's secrets. A proxy's password is one that every connection of a sandbox needs.
 */
const forGateway =
  /^(PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|XDG_\w+|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|OTEL_(?:EXPORTER_OTLP_\w+|SERVICE_NAME)|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY|OPENSHELL_\w+|DOCKER_\w+|CONTAINER_HOST|KUBECONFIG)$/;

export function gatewayEnvironment(environment: Environment): Record<string, string | undefined> {
  const compiled = compileCacheDirectory(environment);
  return {
    ...Object.fromEntries(Object.entries(environment).filter(([name]) => forGateway.test(name))),
    // Compiling its code takes a gateway longer than all else that it does before it is ready.
    ...(compiled !== undefined && { NODE_COMPILE_CACHE: compiled }),
  };
}

/** The words after Node's name. Room for all that a start allocates saves it several collections. */
export function gatewayCommandLine({ gatewayProgram }: Installation, args: readonly string[]): string[] {
  return ["--min-semi-space-size=8", gatewayProgram, ...args];
}

function spawnGateway(
  { environment, installation }: StartOptions,
  state: string,
  gatewayArguments: readonly string[],
): ChildProcess {
  const log = openSync(gatewayLogPath(state), "a", 0o600);
  try {
    const child = spawn(installation.node, gatewayCommandLine(installation, gatewayArguments), {
      // A session of its own: closing the terminal or pressing Ctrl-C there must not end it.
      detached: true,
      // A working directory would keep a file system busy for as long as the gateway lives.
      cwd: "/",
      env: gatewayEnvironment(environment),
      stdio: ["ignore", log, log],
    });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

type Started =
  | { readonly kind: "running"; readonly gateway: RunningGateway }
  /** Another gateway holds the lock and does not answer yet, or no longer. */
  | { readonly kind: "locked" }
  | { readonly kind: "failed" };

/** Waits until a gateway answers, this one or another, or until this one has ended. */
async function waitForEither(child: ChildProcess, state: string, deadline: number): Promise<Started> {
  let ended: Started | undefined;
  child.once("error", () => {
    ended = { kind: "failed" };
  });
  child.once("exit", (code) => {
    ended = { kind: code === EXIT_ALREADY_RUNNING ? "locked" : "failed" };
  });
  while (performance.now() < deadline) {
    const gateway = readRunningGateway(state);
    if (gateway) {
      // Another was first. Ours, if it has not noticed yet, would become the gateway once that one is stopped.
      if (gateway.pid !== child.pid) child.kill("SIGKILL");
      return { kind: "running", gateway };
    }
    if (ended) return ended;
    await delay(LOOK_EVERY_MS);
  }
  return { kind: "failed" };
}

function logTail(path: string): string {
  try {
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    return lines.slice(-LOG_TAIL_LINES).join("\n");
  } catch {
    return "(nothing)";
  }
}
