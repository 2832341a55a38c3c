/**
 * Step 2: which program is asking?
 * Takes  Intercepted: the two ends of the client's socket inside the sandbox.
 * Gives  Identified: every process of this sandbox that holds the socket, with executable, digest and ancestors.
 * Refuses identify.no_holder | identify.unreadable | identify.binary_changed | audit.unwritable.
 * Assumes nothing of what a process says of itself: its command line, name and script go to the log, never to a decision.
 */
import { ProcFs } from "../../../linux/proc.ts";
import { parseProcessStat } from "../../../linux/process-stat.ts";
import type { Holder, Identified, Intercepted, Refusal } from "../connection.ts";
import { isRefusal } from "../connection.ts";
import { ancestorsOf } from "./ancestors.ts";
import { ExecutableDigests } from "./executable.ts";
import { executablePath } from "./executable-path.ts";
import { FirstUseMemory } from "./first-use.ts";
import { scriptOf } from "./script.ts";
import { SocketHolderFinder } from "./socket-holders.ts";
import { socketInode } from "./socket-inode.ts";
import { sshForwarder } from "./ssh-forwarder.ts";

/** The sandbox's processes, and what is remembered of them. */
export interface IdentifyContext extends AsyncDisposable {
  readonly proc: ProcFs;
  /** Init's process id, as the sandbox sees it. */
  readonly initPid: number;
  /** A NETLINK_SOCK_DIAG socket of the sandbox's network namespace; see linux/netlink-sock-diag.ts. */
  readonly sockDiag: number | undefined;
  readonly finder: SocketHolderFinder;
  readonly digests: ExecutableDigests;
  readonly firstUse: FirstUseMemory;
}

export interface IdentifyOptions {
  /** The sandbox's procfs, such as `/proc/INIT/root/proc` with init's process id on the machine. */
  readonly procfs: string;
  readonly initPid: number;
  readonly sockDiag?: number | undefined;
  /** File of the first-use digests, outside the sandbox. */
  readonly firstUseFile: string;
}

/** The first process of the sandbox's PID namespace, which is bubblewrap's; ours starts everything else. */
const namespaceInitPid = 1;

/** Arguments of a command line that are kept for the log, and characters of each. */
const loggedArguments = 32;
const loggedArgumentLength = 256;

/**
 * Opens the sandbox's procfs and the memory of first uses.
 * @throws SystemError or what `node:fs` throws
 */
export async function createIdentifyContext(options: IdentifyOptions): Promise<IdentifyContext> {
  const firstUse = await FirstUseMemory.open(options.firstUseFile);
  const proc = new ProcFs(options.procfs);
  const finder = new SocketHolderFinder(proc, { skipped: [namespaceInitPid, options.initPid] });
  return {
    proc,
    initPid: options.initPid,
    sockDiag: options.sockDiag,
    finder,
    digests: new ExecutableDigests(),
    firstUse,
    async [Symbol.asyncDispose]() {
      finder[Symbol.dispose]();
      proc[Symbol.dispose]();
      await firstUse[Symbol.asyncDispose]();
    },
  };
}

/** Finds and describes the holders of a connection. */
export async function identify(connection: Intercepted, context: IdentifyContext): Promise<Identified | Refusal> {
  if (connection.listener === "ssh") return { ...connection, holders: [sshForwarder(context.initPid)] };
  const netDirectory = `${context.proc.path}/${context.initPid}/net`;
  const inode = socketInode(connection.client, { sockDiag: context.sockDiag, netDirectory });
  if (inode === undefined) return refuseWithoutHolder(connection);
  const { pids, unreadable } = context.finder.find(inode);
  // Unreadable processes count only where nobody readable holds the connection: or an ssh-agent, which hides itself from
  // all others, would cut its whole sandbox off.
  if (pids.length === 0 && unreadable.length > 0) return refuseUnreadable(unreadable[0]);
  const holders: Holder[] = [];
  // One after the other: there is nearly always one, and what is known of a program answers without waiting.
  for (const pid of pids) {
    const holder = await describeHolder(pid, context);
    if (holder === undefined) continue; // it ended meanwhile, and so holds nothing
    if (isRefusal(holder)) return holder;
    holders.push(holder);
  }
  return holders.length > 0 ? { ...connection, holders } : refuseWithoutHolder(connection);
}

function refuseWithoutHolder(connection: Intercepted): Refusal {
  return { refused: "identify.no_holder", detail: `nobody holds the connection to ${asked(connection)}` };
}

function asked(connection: Intercepted): string {
  return `${connection.destination.host} port ${connection.destination.port}`;
}

/** Everything about one process that holds a socket; undefined if it has ended. */
export async function describeHolder(pid: number, context: IdentifyContext): Promise<Holder | Refusal | undefined> {
  const { proc } = context;
  const line = proc.readText(`${pid}/stat`);
  const stat = line === undefined ? undefined : parseProcessStat(line);
  if (stat === undefined) return undefined;
  const path = executablePath(pid, proc);
  if (path === undefined) return hasEnded(proc.lastFailure) ? undefined : refuseUnreadable(pid);
  const sha256 = await digestOf(pid, context);
  if (sha256 === undefined || isRefusal(sha256)) return sha256;
  const refusal = await compareWithFirstUse(path, sha256.digest, context);
  if (refusal !== undefined) return refusal;
  const commandLine = commandLineOf(pid, proc);
  const script = scriptOf(path, commandLine);
  const ancestors = ancestorsOf(stat, proc, context.initPid);
  // Hashing takes time. If the process ended, its number may be another's by now; if it has become another program
  // (execve keeps number and start time), then that one holds the connection, and it was not looked at.
  const lineAfter = proc.readText(`${pid}/stat`);
  if (lineAfter === undefined || parseProcessStat(lineAfter)?.startTime !== stat.startTime) return undefined;
  if (executablePath(pid, proc) !== path) return refuseUnreadable(pid);
  return { pid, path, sha256: sha256.digest, ancestors, commandLine, ...(script !== undefined && { script }) };
}

async function digestOf(pid: number, context: IdentifyContext): Promise<{ digest: string } | Refusal | undefined> {
  try {
    return { digest: await context.digests.digest(`${context.proc.path}/${pid}/exe`) };
  } catch (error) {
    return hasEnded((error as NodeJS.ErrnoException).code ?? "") ? undefined : refuseUnreadable(pid);
  }
}

async function compareWithFirstUse(
  path: string,
  digest: string,
  context: IdentifyContext,
): Promise<Refusal | undefined> {
  const verdict = await context.firstUse.compare(path, digest);
  switch (verdict) {
    case "same":
      return undefined;
    case "changed":
      return { refused: "identify.binary_changed", detail: `${printable(path)} is not the program first seen there` };
    case "full":
      return { refused: "identify.unreadable", detail: "too many different programs have been seen in this sandbox" };
    case "unwritable":
      return {
        refused: "audit.unwritable",
        detail: `the digest of ${printable(path)} can't be kept: the disk refuses it`,
      };
    default:
      return verdict satisfies never;
  }
}

function refuseUnreadable(pid = 0): Refusal {
  return { refused: "identify.unreadable", detail: `process ${pid}, which may hold the connection, can't be read` };
}

/** The first arguments; empty for a process that has ended. */
export function commandLineOf(pid: number, proc: ProcFs): string[] {
  const text = proc.readText(`${pid}/cmdline`) ?? "";
  const words = text.endsWith("\0") ? text.slice(0, -1).split("\0") : text.split("\0");
  return words.slice(0, loggedArguments).map((word) => word.slice(0, loggedArgumentLength));
}

/** The sandbox chooses its file names, which may hold anything but NUL. */
function printable(text: string): string {
  return text.replace(/[^ -~]/g, "?");
}

function hasEnded(failure: string): boolean {
  return failure === "ENOENT" || failure === "ESRCH";
}
