/**
 * Starts this machine's gateway in the background. Several commands may do so at the same moment: the gateway's own lock
 * lets exactly one live, and all of them wait for that one.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type RunningGateway, readRunningGateway } from "../../locations/running-gateway.ts";
import { gatewayLogPath, stateDirectory } from "../../locations/state-directory.ts";
import type { Environment, Installation } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";

/** Opening the database and making keys takes a fraction of a second; a machine that swaps gets its time. */
const START_TIMEOUT_MS = 20_000;

/** How often to look: a stat-sized read, short beside the gateway's own start. */
const LOOK_EVERY_MS = 5;

/** How long a start whose gateway ended may still turn out to have lost only a race against another's. */
const RACE_GRACE_MS = 3_000;

/** Enough of the log for the reason, not so much that the error scrolls away. */
const LOG_TAIL_LINES = 12;

interface StartOptions {
  readonly environment: Environment;
  readonly installation: Installation;
}

/** @returns the gateway that runs, be it this one or one that was there first. Throws CommandFailure. */
export async function startLocalGateway({ environment, installation }: StartOptions): Promise<RunningGateway> {
  const state = stateDirectory(environment);
  const running = readRunningGateway(state);
  if (running) return running;
  if (!existsSync(installation.gatewayProgram)) {
    throw new CommandFailure(`the gateway's program is missing: ${installation.gatewayProgram}`, {
      hint: "run `npm ci` again; it builds the programs",
    });
  }
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const child = spawnGateway({ environment, installation }, state);
  return await waitUntilRunning(child, state);
}

function spawnGateway({ environment, installation }: StartOptions, state: string): ChildProcess {
  const log = openSync(gatewayLogPath(state), "a", 0o600);
  try {
    const child = spawn(installation.node, [installation.gatewayProgram], {
      // A session of its own: closing the terminal or pressing Ctrl-C there must not end it.
      detached: true,
      // A working directory would keep a file system busy for as long as the gateway lives.
      cwd: "/",
      env: { ...environment },
      stdio: ["ignore", log, log],
    });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

async function waitUntilRunning(child: ChildProcess, state: string): Promise<RunningGateway> {
  let failure: unknown;
  child.once("error", (error) => {
    failure = error;
  });
  let deadline = Date.now() + START_TIMEOUT_MS;
  void once(child, "exit").then(
    () => {
      deadline = Math.min(deadline, Date.now() + (child.exitCode === 0 ? START_TIMEOUT_MS : RACE_GRACE_MS));
    },
    () => {},
  );
  while (Date.now() < deadline && failure === undefined) {
    const running = readRunningGateway(state);
    if (running) return running;
    await delay(LOOK_EVERY_MS);
  }
  throw new CommandFailure("the local gateway does not start", {
    code: "unavailable",
    hint: `its log, ${gatewayLogPath(state)}, ends with:\n${logTail(gatewayLogPath(state))}`,
    cause: failure,
  });
}

function logTail(path: string): string {
  try {
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    return lines.slice(-LOG_TAIL_LINES).join("\n");
  } catch {
    return "(nothing)";
  }
}
