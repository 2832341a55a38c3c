/**
 * A command in a sandbox, joined to this program's own input, output, signals and terminal. It should feel as if the
 * command ran right here: streams stay apart, nothing is lost or added, and its exit code is ours.
 */

import type { Duplex } from "./api/channel.ts";
import { type ExecEvent, type ExecInput, type ExecStart, execSandboxInteractive } from "./api/exec-wire.ts";
import type { Gateway } from "./api/gateway.ts";
import type { CommandContext, Streams } from "./command-context.ts";
import { CommandFailure } from "./command-failure.ts";

/** Signals that are meant for the command; the others (such as stop and continue) act on this program itself. */
const forwardedSignals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

/** Of these, after how many this program ends at once: a command that ignores them must not hold the user's terminal. */
const IMPATIENT_AFTER = 3;

/** What a shell reports for a program that a signal ended: 128 and the signal's number (signal(7)). */
const EXIT_INTERRUPTED = 130;
const EXIT_BROKEN_PIPE = 141;

type ExecCall = Duplex<ExecInput, ExecEvent>;

export interface ExecRequest extends Omit<ExecStart, "terminal"> {
  readonly tty: boolean;
}

/**
 * Runs the command until it ends. @returns its exit code, or 128 and the signal's number.
 * Throws RpcError or CommandFailure when it could not be run to its end.
 */
export async function execSession(request: ExecRequest, gateway: Gateway, context: CommandContext): Promise<number> {
  const call = gateway.channel.duplex(execSandboxInteractive);
  const { tty, ...start } = request;
  call.send({ kind: "start", start: { ...start, ...(tty && { terminal: windowSize(context) }) } });
  using undo = new DisposableStack();
  const ended = { by: undefined as number | undefined };
  const endWith = (exitCode: number) => {
    ended.by ??= exitCode;
    call.cancel();
  };
  forwardSignals(call, context, { undo, endWith });
  forwardInput(call, context, undo);
  if (tty) await takeTerminal(call, context, undo);
  watchOutput(context, { undo, endWith });
  try {
    for await (const event of call) {
      if (event.kind === "exit") return ended.by ?? event.code;
      if (event.kind !== "unknown") await write(context[event.kind], event.data);
    }
  } catch (error) {
    if (ended.by === undefined) throw error;
  }
  if (ended.by !== undefined) return ended.by;
  throw new CommandFailure("the connection ended before the command did", {
    code: "unavailable",
    hint: "the command may still run: see `openshell sandbox get`",
  });
}

/** Whether a terminal should be given when the user did not say: only where both ends are one. */
export function terminalByDefault({ stdin, stdout }: Streams): boolean {
  return stdin.isTTY === true && stdout.isTTY === true;
}

interface Ending {
  readonly undo: DisposableStack;
  readonly endWith: (exitCode: number) => void;
}

function forwardSignals(call: ExecCall, { signals }: CommandContext, { undo, endWith }: Ending): void {
  let patience = IMPATIENT_AFTER;
  for (const signal of forwardedSignals) {
    const forward = () => {
      call.send({ kind: "signal", signal });
      if ((signal === "SIGINT" || signal === "SIGTERM") && --patience === 0) endWith(EXIT_INTERRUPTED);
    };
    signals.on(signal, forward);
    undo.defer(() => void signals.off(signal, forward));
  }
}

function forwardInput(call: ExecCall, { stdin }: CommandContext, undo: DisposableStack): void {
  let open = true;
  const forward = (data: Buffer) => {
    if (call.send({ kind: "stdin", data })) return;
    // A command that does not read must not make this program collect its whole input.
    stdin.pause();
    void call.drained().then(() => open && stdin.resume());
  };
  const close = () => {
    if (!open) return;
    open = false;
    call.send({ kind: "close-stdin" });
  };
  stdin.on("data", forward);
  stdin.once("end", close);
  // An input that cannot be read (closed, a directory, a terminal that went away) is one that has ended.
  stdin.once("error", close);
  undo.defer(() => {
    open = false;
    stdin.off("data", forward);
    stdin.off("end", close);
    // The error listener stays: an error that comes now concerns nobody, and without a listener Node would throw.
    stdin.pause();
  });
}

/** Keys go to the command as they are pressed, Ctrl-C included, and it learns of the window's size. */
async function takeTerminal(call: ExecCall, context: CommandContext, undo: DisposableStack): Promise<void> {
  const { stdin, stdout } = context;
  // Loaded only here: it needs node:child_process, which takes longer than a round trip to the gateway.
  const { rawTerminal } = await import("./raw-terminal.ts");
  undo.use(rawTerminal(stdin));
  const resize = () => void call.send({ kind: "resize", size: windowSize(context) });
  stdout.on("resize", resize);
  undo.defer(() => void stdout.off("resize", resize));
}

/** The reader of our output went away (`… | head -1`): the command ends like any program in a pipe would. */
function watchOutput({ stdout, stderr }: CommandContext, { undo, endWith }: Ending): void {
  const broken = () => endWith(EXIT_BROKEN_PIPE);
  for (const stream of [stdout, stderr]) {
    stream.on("error", broken);
    undo.defer(() => void stream.off("error", broken));
  }
}

function windowSize({ stdout }: Streams): { columns: number; rows: number } {
  // Without a real window programs that ask get the classic size; 0 makes some of them divide by it.
  return { columns: stdout.columns || 80, rows: stdout.rows || 24 };
}

/** Waits while the reader is slow, so that at most one message is in memory. */
function write(stream: Streams["stdout"] | Streams["stderr"], data: Uint8Array): Promise<void> | undefined {
  if (stream.destroyed || stream.write(data)) return undefined;
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ["drain", "close", "error"]) stream.off(event, done);
      resolve();
    };
    for (const event of ["drain", "close", "error"]) stream.on(event, done);
  });
}
