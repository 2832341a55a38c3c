/**
 * Starts a sandbox: spawns the chain `unshare → sh → bwrap → init`, takes over the listening sockets that init opens
 * inside, and waits until init has closed its doors. Nothing here needs privilege, whoever the supervisor runs as.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readlinkSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { type Configuration, encodeJsonFrame, FrameReader, frame, type IsolationFact } from "../../init/protocol.ts";
import { SystemError } from "../../linux/libc.ts";
import { passCredentials, type ReceivedDescriptors, receiveDescriptors } from "../../linux/message-header.ts";
import { readProcessStat } from "../../linux/process-stat.ts";
import { whenReadable } from "../../linux/readable.ts";
import { compileSeccomp } from "../../linux/seccomp.ts";
import { earlySeccompRules } from "../../linux/seccomp-rules.ts";
import { openSocketPair } from "../../linux/socket.ts";
import { createInitLink, type InitLink } from "../init-link.ts";
import { launchScript, type OverlayMount } from "./launch-script.ts";
import { closeListeners, type ListenerDescriptors, sortListeners } from "./listener-descriptors.ts";
import { initCommand } from "./mount-plan.ts";

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

export interface LaunchedSandbox {
  readonly listeners: ListenerDescriptors;
  /** Host process id of init, as the kernel says. Its number inside is in /proc/PID/status. */
  readonly initPid: number;
  /** Host process id of the chain's first process; the sandbox ends with it. */
  readonly chainPid: number;
  readonly link: InitLink;
  readonly isolation: readonly IsolationFact[];
  /** Settles when the chain has ended: nothing of the sandbox runs any more. */
  readonly ended: Promise<void>;
  /** Ends everything inside at once. */
  kill(): void;
}

/** The chain takes tens of milliseconds; a machine under heavy load a few seconds. */
const LAUNCH_TIMEOUT_MS = 20_000;
/** Where distributions keep unshare, ip, nft, mount and bwrap; never what a user's own PATH says. */
export const TOOLS_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** What the tools print on failure, for the error; more would only be noise. */
const MAX_STDERR = 4096;
/** More than there are listeners; the kernel cuts what does not fit. */
const MAX_DESCRIPTORS = 16;

/**
 * Starts the sandbox and resolves once programs can be started in it.
 * @throws Error with what the chain's tools printed, or what init said
 */
export async function launch(options: LaunchOptions): Promise<LaunchedSandbox> {
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
    const link = createInitLink(taken.socket, taken.reader, kill);
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

async function takeOver(fd: number, configuration: Configuration, failure: AbortSignal) {
  writeFileSync(fd, encodeJsonFrame(frame.configure, 0, configuration));
  await whenReadable(fd, failure);
  const { data, fds, senderPid } = receiveListeners(fd) ?? (await aborted(failure));
  if (senderPid === undefined) throw new Error("the kernel did not say who sent the listeners");
  const listeners = sortListeners(data[0] ?? 0, fds);
  const socket = new Socket({ fd, readable: true, writable: true });
  const reader = new FrameReader();
  const isolation = await readReady(socket, reader, failure).catch((error: unknown) => {
    closeListeners(listeners);
    throw error;
  });
  return { listeners, initPid: senderPid, socket, reader, isolation: isolation.map(compareNamespace) };
}

/** The listeners, or nothing if the chain has failed: it closed the socket, and will say why on its stderr. */
function receiveListeners(fd: number): ReceivedDescriptors | undefined {
  try {
    const received = receiveDescriptors(fd, 1, MAX_DESCRIPTORS);
    return received.data.length > 0 ? received : undefined;
  } catch (error) {
    if (error instanceof SystemError && error.code === "ECONNRESET") return undefined;
    throw error;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** Reads the first frame, which is `ready` or `failed`. */
function readReady(socket: Socket, reader: FrameReader, failure: AbortSignal): Promise<IsolationFact[]> {
  const ready = new Promise<IsolationFact[]>((resolve, reject) => {
    socket.on("data", (bytes: Buffer) => {
      const [first] = reader.push(bytes);
      if (!first) return;
      socket.removeAllListeners("data");
      socket.pause();
      if (first.type === frame.ready) resolve(JSON.parse(first.payload.toString()) as IsolationFact[]);
      else reject(new Error((JSON.parse(first.payload.toString()) as { message: string }).message));
    });
  });
  return Promise.race([ready, aborted(failure)]);
}

/** A namespace is one of the sandbox's own if the supervisor is not in it. */
function compareNamespace(fact: IsolationFact): IsolationFact {
  const [, kind] = fact.name.split("namespace.");
  if (!kind) return fact;
  return { ...fact, strong: readlinkSync(`/proc/self/ns/${kind}`) !== fact.value };
}
