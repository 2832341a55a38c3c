/**
 * A sandbox in a container that an engine has made, with this supervisor in a second one that shares its process namespace
 * and nothing else. Init waits in there; it is taken over as anywhere.
 */
import { chmodSync, closeSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import type { IsolationFact, SpawnRequest } from "../../init/protocol.ts";
import type { LandlockRule } from "../../linux/landlock.ts";
import { peerCredentials } from "../../linux/local-peer.ts";
import { passCredentials } from "../../linux/message-header.ts";
import { onReadable } from "../../linux/readable.ts";
import { acceptUnix, listenUnix } from "../../linux/unix-socket.ts";
import type { Policy } from "../../policy/policy.ts";
import type { InitLink } from "../init-link.ts";
import { type ContainerPlace, containerNode, type LaunchSpec } from "../launch-spec.ts";
import { type ImageInPod, lookAtImage } from "./image-in-pod.ts";
import { usrLinks } from "./mount-plan.ts";
import { processLimits } from "./raise-sandbox.ts";
import { requireCapture } from "./require-capture.ts";
import { type LaunchedSandbox, takeOver } from "./take-over.ts";
import { type SandboxTrust, sharedTrustFiles } from "./trust-files.ts";

/** The agent's container runs already; init looks for the socket all the time. */
const JOIN_TIMEOUT_MS = 20_000;
/** The first process of the containers' common namespace. */
const INIT_PID = 1;

/** Where programs in the sandbox have Node, by whatever way it is really started. */
const NODE = "/run/openshell/node";
const BASH = "/bin/bash";
const SH = "/bin/sh";

export interface ContainerOptions {
  readonly place: ContainerPlace;
  readonly spec: LaunchSpec;
  readonly policy: Policy;
  /** What programs trust, given what the image does. */
  readonly trust: (imageCertificates: string) => SandboxTrust;
}

export interface JoinedSandbox extends LaunchedSandbox {
  /** What Landlock allows. */
  readonly rules: readonly LandlockRule[];
  /** Present where the supervisor had to see for itself what the image is. */
  readonly image?: ImageInPod;
}

/** Init's connection in a container, which waits for as long as the supervisor has no orders. */
export interface WaitingInit {
  readonly place: ContainerPlace;
  readonly connected: Promise<number>;
}

/** Opens the socket that init looks for. */
export function awaitInit(place: ContainerPlace): WaitingInit {
  const connected = acceptInit(place);
  connected.catch(() => undefined);
  return { place, connected };
}

/**
 * Resolves once programs can be started in the sandbox.
 * @throws Error that says what the container or the policy lacks
 */
export async function joinContainer(
  { place, connected }: WaitingInit,
  { spec, policy, trust }: Omit<ContainerOptions, "place">,
): Promise<JoinedSandbox> {
  requireUser(policy, place.user);
  const signal = AbortSignal.timeout(JOIN_TIMEOUT_MS);
  const fd = await withinSignal(connected, signal);
  const image = place.pod && lookAtImage(peerCredentials(fd).pid, place.pod.hiddenVariables);
  writeEtc(place.etc, {
    ...sharedTrustFiles(trust(image?.certificates ?? "")),
    "openshell/policy.yaml": spec.policyText,
  });
  const rules = containerRules(policy, { ...spec, workdir: image?.workdir ?? spec.workdir });
  const { processes } = spec.limits;
  const configuration = {
    landlock: {
      rules,
      required: policy.landlock.compatibility === "hard_requirement",
    },
    limits: { ...processLimits, ...(processes !== undefined && { nproc: processes }) },
    supervisorPid: process.pid,
  };
  const taken = await takeOver(fd, configuration, signal);
  const ended = Promise.withResolvers<void>();
  const direct = taken.connect(ended.resolve);
  const captured = place.pod && (await requireCapture(direct, taken.listeners));
  const link = withOwnPrograms(direct, image?.shell ?? place.shell ?? SH);
  return {
    listeners: taken.listeners,
    initPid: taken.initPid,
    isolation: taken.isolation.map((fact) => inContainer(fact, captured)),
    rules,
    ...(image && { image }),
    link,
    ended: ended.promise,
    // Init stays until this process has gone: with it everything in the namespace would end, and this process unheard.
    kill: () => {
      link.signalAll(constants.signals.SIGKILL);
      ended.resolve();
    },
  };
}

/** The container was made before the policy came: it can't become another user's. */
function requireUser({ process: { runAsUser, runAsGroup } }: Policy, { uid, gid }: ContainerPlace["user"]): void {
  const isAsked = (asked: string | undefined, id: number) =>
    asked === undefined || asked === "sandbox" || Number(asked) === id;
  if (isAsked(runAsUser, uid) && isAsked(runAsGroup, gid)) return;
  throw new Error(
    `the policy's process section asks for user ${runAsUser ?? uid} and group ${runAsGroup ?? gid}, and the image's are ` +
      `${uid} and ${gid}: leave them out, or use an image with that USER`,
  );
}

/** In place: some of these are mounted one by one. */
function writeEtc(directory: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text, { mode: 0o644 });
  }
}

/**
 * The one connection of the one process that runs in the agent's container. Nobody can connect after it: the socket is
 * gone before init starts a program.
 */
async function acceptInit({ socketPath: path, user, pod }: ContainerPlace): Promise<number> {
  const unfinished = `${path}.new`;
  for (const old of [path, unfinished]) rmSync(old, { force: true });
  const listener = listenUnix(unfinished);
  try {
    chmodSync(unfinished, 0o666);
    const waiting = whenever(listener);
    // Only now does init see it, and can connect at once.
    renameSync(unfinished, path);
    await waiting;
    const fd = acceptUnix(listener);
    const peer = peerCredentials(fd);
    // A pod has a process of its own in the first place; the only one of the agent's user is init.
    if (pod ? peer.uid !== user.uid : peer.pid !== INIT_PID) {
      throw new Error(`process ${peer.pid} of the container connected in init's place`);
    }
    passCredentials(fd);
    return fd;
  } finally {
    closeSync(listener);
    rmSync(path, { force: true });
  }
}

/** However long it takes. */
function whenever(listener: number): Promise<void> {
  return new Promise((resolve) => {
    const watch = onReadable(listener, () => {
      watch[Symbol.dispose]();
      resolve();
    });
  });
}

function withinSignal<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return Promise.race([
    promise,
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error("nothing came from the sandbox's container")), {
        once: true,
      });
    }),
  ]);
}

/**
 * The policy's paths are the image's here, where nothing is the machine's but what was mounted on purpose. A policy that
 * shows /usr means its programs to be found, and not every image has merged its folders into it.
 */
function containerRules(policy: Policy, { workdir, folders }: Pick<LaunchSpec, "workdir" | "folders">): LandlockRule[] {
  const { readOnly, readWrite, includeWorkdir } = policy.filesystem;
  const readable = new Set([...readOnly, "/etc", "/proc", "/var/log", dirname(NODE)]);
  const beside = readOnly.includes("/usr") ? usrLinks.filter((path) => !readable.has(path)) : [];
  const writable = new Set([...readWrite, "/dev", ...(includeWorkdir ? ["/sandbox", workdir] : [])]);
  return [
    { path: "/", access: "list" },
    ...[...readable].map((path) => ({ path, access: "read" }) as const),
    ...beside.map((path) => ({ path, access: "read", optional: true }) as const),
    ...[...writable].map((path) => ({ path, access: "write" }) as const),
    ...folders.map(({ target, writable }) => ({ path: target, access: writable ? "write" : "read" }) as const),
  ];
}

/** What changes how our own programs start; for the image's own an image or a user may set it. */
const loaderVariables = ["NODE_OPTIONS", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "OPENSSL_CONF"];

/** Our own programs need our own loader in an image of any C library; a shell may be another one than elsewhere. */
function withOwnPrograms(link: InitLink, shell: string): InitLink {
  const asThere = (request: SpawnRequest): SpawnRequest => {
    const [program = "", ...args] = request.command;
    if (program !== NODE) return { ...request, command: [program === BASH ? shell : program, ...args] };
    const kept = Object.entries(request.environment).filter(([name]) => !loaderVariables.includes(name));
    return { ...request, command: [...containerNode, ...args], environment: Object.fromEntries(kept) };
  };
  return { ...link, start: (request) => link.start(asThere(request)) };
}

/** What is as it should be here although it would not be elsewhere. */
function inContainer(fact: IsolationFact, captured: string | undefined): IsolationFact {
  if (fact.name === "namespace.pid")
    return { ...fact, value: `${fact.value}, shared with the supervisor`, strong: true };
  // Whoever is not root and has no capability gains nothing by one of its own.
  if (fact.name === "namespace.user") return { ...fact, value: `${fact.value}, the engine's`, strong: true };
  if (captured === undefined) return fact;
  if (fact.name === "namespace.net") return { ...fact, value: `${fact.value}, the pod's; ${captured}`, strong: true };
  // A pod's containers share these. Nothing is in them but what is the sandbox's.
  if (fact.name === "namespace.ipc" || fact.name === "namespace.uts")
    return { ...fact, value: `${fact.value}, the pod's`, strong: true };
  return fact;
}
