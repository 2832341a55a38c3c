/** A command that a client asked for through the gateway, run in the sandbox: its channel tied to init's program. */
import { constants } from "node:os";
import { finished } from "node:stream/promises";
import type { ExecSandboxRequestJson } from "../gen/openshell/v1/exec_pb.ts";
import type { Exited } from "../init/protocol.ts";
import type { ExecChannel } from "./exec-channel.ts";
import { type InitLink, ProgramNotStarted, type SandboxProgram } from "./init-link.ts";

export interface ExecContext {
  readonly init: InitLink;
  /** What every program of the sandbox starts with. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where it starts, unless the request says. */
  readonly workdir: string;
  /** Told of each program that runs, and of its end. */
  readonly onStarted: (pid: number, command: readonly string[]) => (exited: Exited) => void;
}

/** Without a command, a person wants a shell. */
export const LOGIN_SHELL = ["/bin/bash", "-l"];

// What a shell answers when it can't run a command: sh(1), "Exit Status".
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;
/** Why a command can't be run, by its errno; exec(3). */
const cannotRun: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "command not found"],
  ["EACCES", "permission denied"],
  ["ENOEXEC", "not a program of this kind of machine"],
  ["E2BIG", "the arguments and the environment are too long together"],
]);
/** What timeout(1) answers. */
const TIMED_OUT = 124;
/** As for a process that was killed: the sandbox went, and the command with it. */
export const SANDBOX_ENDED = 137;
/** A command that ignores SIGTERM after its time is up has so long to tidy up. */
const KILL_AFTER_MS = 5_000;

/** Runs the command; the channel gets its output, and in the end its exit code (128 + N for signal N). */
export function exec(request: ExecSandboxRequestJson, channel: ExecChannel, context: ExecContext): void {
  const command = request.command?.length ? request.command : LOGIN_SHELL;
  const program = context.init.start({
    command,
    environment: { ...context.environment, ...request.environment },
    workdir: request.workdir || context.workdir,
    ...(request.tty && { terminal: { columns: request.cols || 80, rows: request.rows || 24 } }),
  });
  // Listened for before anything else: only so is nothing missed when the program is over at once.
  const isRead = Promise.all([program.stdout, program.stderr].map((stream) => finished(stream)));
  let isOver = false;
  channel.listen({
    signal: (name) => program.signal(constants.signals[name as NodeJS.Signals] ?? constants.signals.SIGTERM),
    resize: ({ cols, rows }) => program.resize(cols, rows),
    closed: () => {
      if (!isOver) abandon(program, channel);
    },
  });
  channel.stdin.pipe(program.stdin);
  program.stdout.pipe(channel.stdout, { end: false });
  program.stderr.pipe(channel.stderr, { end: false });
  void exitCode(program, { command, seconds: request.timeoutSeconds ?? 0, context, complain }).then(async (code) => {
    await isRead;
    isOver = true;
    channel.exit(code);
  });

  function complain(text: string): void {
    channel.stderr.write(Buffer.from(`openshell: ${text}\n`));
  }
}

/** Nobody reads any more: the program is told as a shell's job is when its terminal goes, and its output is dropped. */
function abandon(program: SandboxProgram, channel: ExecChannel): void {
  program.signal(constants.signals.SIGHUP);
  for (const [output, reader] of [
    [program.stdout, channel.stdout],
    [program.stderr, channel.stderr],
  ] as const) {
    output.unpipe(reader);
    output.resume();
  }
}

/** Why a program was not started, in a shell's words. */
export function whyNotStarted({ code, message }: ProgramNotStarted): string {
  return cannotRun.get(code) ?? message;
}

/** The exit code that a shell has for it. */
export function notStartedCode({ code }: ProgramNotStarted): number {
  return code === "ENOENT" ? NOT_FOUND : NOT_EXECUTABLE;
}

interface Run {
  readonly command: readonly string[];
  /** 0: no limit. */
  readonly seconds: number;
  readonly context: ExecContext;
  readonly complain: (text: string) => void;
}

async function exitCode(program: SandboxProgram, { command, seconds, context, complain }: Run): Promise<number> {
  let timedOut = false;
  const timers: NodeJS.Timeout[] = [];
  try {
    const onExited = context.onStarted(await program.started, command);
    if (seconds > 0) {
      const timeUp = () => {
        timedOut = true;
        program.signal(constants.signals.SIGTERM);
      };
      timers.push(setTimeout(timeUp, seconds * 1000));
      timers.push(setTimeout(() => program.signal(constants.signals.SIGKILL), seconds * 1000 + KILL_AFTER_MS));
    }
    const exited = await program.exited;
    onExited(exited);
    if (timedOut) complain(`the command was ended after ${seconds} s`);
    return timedOut ? TIMED_OUT : (exited.code ?? 128 + exited.signal);
  } catch (error) {
    if (!(error instanceof ProgramNotStarted)) {
      complain("the sandbox ended");
      return SANDBOX_ENDED;
    }
    complain(`${command[0]}: ${whyNotStarted(error)}`);
    return notStartedCode(error);
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}
