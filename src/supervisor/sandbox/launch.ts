/**
 * Starts a sandbox: spawns the chain `unshare → sh → bwrap → init`, takes over the listening sockets that init opens
 * inside, and waits until init has closed its doors. Nothing here needs privilege, whoever the supervisor runs as.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Configuration } from "../../init/protocol.ts";
import { passCredentials } from "../../linux/message-header.ts";
import { readProcessStat } from "../../linux/process-stat.ts";
import { compileSeccomp } from "../../linux/seccomp.ts";
import { earlySeccompRules } from "../../linux/seccomp-rules.ts";
import { openSocketPair } from "../../linux/socket.ts";
import { launchScript, type OverlayMount } from "./launch-script.ts";
import { initCommand } from "./mount-plan.ts";
import { type LaunchedSandbox, takeOver } from "./take-over.ts";

export interface LaunchOptions {
  readonly uid: number;
  readonly gid: number;
  /** Arguments of bwrap(1) that make the root. */
  readonly mounts: readonly string[];
  readonly overlays: readonly OverlayMount[];
  /** Files of control groups to join; see SandboxLimits. */
  readonly join: readonly string[];
  readonly configuration: Configuration;
  /** For the seccomp program. */
  readonly scratch: string;
}

export interface LaunchedChain extends LaunchedSandbox {
  /** Host process id of the chain's first process; the sandbox ends with it. */
  readonly chainPid: number;
}

/** The chain takes tens of milliseconds; a machine under heavy load a few seconds. */
const LAUNCH_TIMEOUT_MS = 20_000;
/** Where distributions keep unshare, ip, nft, mount and bwrap; never what a user's own PATH says. */
export const TOOLS_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** What the tools print on failure, for the error; more would only be noise. */
const MAX_STDERR = 4096;

/**
 * Starts the sandbox and resolves once programs can be started in it.
 * @throws Error with what the chain's tools printed, or what init said
 */
export async function launch(options: LaunchOptions): Promise<LaunchedChain> {
  const seccompFile = join(options.scratch, "seccomp.bpf");
  writeFileSync(seccompFile, compileSeccomp(earlySeccompRules, process.arch === "arm64" ? "arm64" : "x64"));
  const [ours, theirs] = openSocketPair();
  const seccomp = openSync(seccompFile, "r");
  passCredentials(ours);
  const chain = spawn(
    "unshare",
    ["--user", "--map-root-user", "--net", "--mount", "--uts", "sh", "-c", ...scriptArguments(options)],
    {
      stdio: ["ignore", "ignore", "pipe", theirs, seccomp],
      env: { PATH: TOOLS_PATH },
    },
  );
  closeSync(theirs);
  closeSync(seccomp);
  const failure = new AbortController();
  const ended = watchChain(chain, failure);
  try {
    const signal = AbortSignal.any([failure.signal, AbortSignal.timeout(LAUNCH_TIMEOUT_MS)]);
    const taken = await takeOver(ours, options.configuration, signal);
    const kill = () => killInside(taken.initPid, chain);
    // Init goes when its link goes; an init that is no longer ours need not.
    const link = taken.connect(kill);
    const { listeners, initPid, isolation } = taken;
    return { listeners, initPid, isolation, link, chainPid: chain.pid ?? -1, ended, kill };
  } catch (error) {
    chain.kill("SIGKILL");
    const isTimeout = error instanceof DOMException && error.name === "TimeoutError";
    throw isTimeout ? new Error(`the sandbox did not start within ${LAUNCH_TIMEOUT_MS / 1000} s`) : error;
  }
}

function scriptArguments({ uid, gid, mounts, overlays, join: groups }: LaunchOptions): string[] {
  return [
    launchScript(overlays, groups),
    "openshell",
    ...["--unshare-user", "--uid", String(uid), "--gid", String(gid), "--disable-userns"],
    ...["--unshare-pid", "--unshare-ipc", "--unshare-cgroup-try"],
    ...["--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"],
    ...mounts,
    ...["--seccomp", "4", "--chdir", "/sandbox", ...initCommand],
  ];
}

/**
 * Kills the first process of the sandbox's PID namespace, with which all others in it end. bubblewrap outside then ends
 * by itself and is collected here; killed itself, it would leave a corpse to whoever adopts it.
 */
function killInside(initPid: number, chain: ChildProcess): void {
  const reaper = readProcessStat(initPid)?.parent;
  // Init's number may be somebody else's by now.
  const isOurs = reaper !== undefined && readProcessStat(reaper)?.parent === chain.pid;
  if (!isOurs) return void chain.kill("SIGKILL");
  try {
    process.kill(reaper, "SIGKILL");
  } catch {
    chain.kill("SIGKILL");
  }
}

/** Aborts `failure` with the reason if the chain ends, and settles then. */
function watchChain(chain: ChildProcess, failure: AbortController): Promise<void> {
  let printed = "";
  chain.stderr?.setEncoding("utf8").on("data", (text: string) => {
    printed = (printed + text).slice(-MAX_STDERR);
  });
  return new Promise((resolve) => {
    chain.once("error", (error) => {
      failure.abort(error);
      resolve();
    });
    chain.once("close", (code) => {
      failure.abort(new Error(printed.trim() || `the sandbox's first process ended with ${code}`));
      resolve();
    });
  });
}
