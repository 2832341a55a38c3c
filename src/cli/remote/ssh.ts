/**
 * Programs on another machine, by the user's own ssh(1): keys, agents, jump hosts and known hosts are as its configuration
 * says. All commands share one connection (ControlMaster), which is made by the first and outlives it, so that a
 * password or a touch of a key is asked for once.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { CommandFailure } from "../command-failure.ts";
import type { SshAccess } from "./remote-gateway.ts";

/** The shared connection ends so many seconds after its last use. What is forwarded counts as use. */
const PERSIST_SECONDS = 600;
/** A connection that is dead is given up after three of these, unanswered; the next command makes a new one. */
const ALIVE_SECONDS = 5;
/** What ssh ends with when it, and not the command, has failed. */
const SSH_FAILED = 255;

/** The arguments up to the destination; `more` are options of ssh's. */
export function sshArguments(
  { destination, port, key, controlPath }: SshAccess,
  more: readonly string[] = [],
): string[] {
  return [
    ...["-o", "ControlMaster=auto", "-o", `ControlPath=${controlPath.replaceAll("%", "%%")}`],
    ...["-o", `ControlPersist=${PERSIST_SECONDS}`, "-o", "ConnectTimeout=15"],
    ...["-o", `ServerAliveInterval=${ALIVE_SECONDS}`, "-o", "ServerAliveCountMax=3"],
    // Nothing of this machine's is lent to that one, whatever the configuration has.
    ...["-o", "ForwardAgent=no", "-o", "ForwardX11=no", "-o", "ClearAllForwardings=no", "-T"],
    ...(port === undefined ? [] : ["-p", `${port}`]),
    ...(key === undefined ? [] : ["-i", key, "-o", "IdentitiesOnly=yes"]),
    ...more,
    destination,
  ];
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: Readable;
  /** Given what the command prints as it comes, instead of keeping it. */
  readonly onOutput?: (chunk: Buffer) => void;
  /** Ends the command. */
  readonly signal?: AbortSignal;
}

/** Runs a shell script there. Throws CommandFailure if ssh itself fails. */
export async function runThere(access: SshAccess, script: string, options: RunOptions = {}): Promise<Ended> {
  const ended = await runSsh([...sshArguments(access), `exec sh -c ${quoted(script)}`], options);
  if (ended.code === SSH_FAILED) throw unreachable(access, ended.stderr);
  return ended;
}

/** Runs ssh(1) to its end. Throws CommandFailure if there is none. */
export async function runSsh(args: readonly string[], { input, onOutput, signal }: RunOptions = {}): Promise<Ended> {
  const child = spawn("ssh", args, { stdio: [input ? "pipe" : "ignore", "pipe", "pipe"], ...(signal && { signal }) });
  const stderr: Buffer[] = [];
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  const sent = input && child.stdin ? pipeline(input, child.stdin).catch(() => undefined) : undefined;
  const output = onOutput ? void child.stdout?.on("data", onOutput) : child.stdout && buffer(child.stdout);
  const code = await exitCode(child);
  await sent;
  // Its own end and not its outputs' is waited for: the shared connection inherits standard error and keeps it open.
  const stdout = output === undefined ? "" : ((await output)?.toString() ?? "");
  child.stderr?.destroy();
  return { code, stdout, stderr: Buffer.concat(stderr).toString().trim() };
}

async function exitCode(child: ChildProcess): Promise<number> {
  try {
    const [code] = (await once(child, "exit")) as [number | null];
    return code ?? SSH_FAILED;
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    if (name === "AbortError") return 0;
    if (code !== "ENOENT") throw error;
    throw new CommandFailure("there is no ssh on this machine", {
      code: "failed_precondition",
      hint: "install OpenSSH's client (openssh-client)",
    });
  }
}

export function unreachable({ destination }: SshAccess, stderr: string): CommandFailure {
  return new CommandFailure(`cannot reach ${destination} by SSH: ${stderr || "the connection broke"}`, {
    code: "unavailable",
    hint: `\`ssh ${destination} true\` must work; --ssh-key names a key, ~/.ssh/config everything else`,
  });
}

/** For a POSIX shell, which takes everything between single quotes as it is. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
