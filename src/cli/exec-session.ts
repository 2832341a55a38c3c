/**
 * A command in a sandbox, joined to this program's own input, output, signals and terminal. It should feel as if the
 * command ran right here: streams stay apart, nothing is lost or added, and its exit code is ours.
 */
import type { ExecCall } from "../net/exec-call.ts";
import type { ExecStart } from "./api/exec-wire.ts";
import type { Gateway } from "./api/gateway.ts";
import { openCommand } from "./api/open-command.ts";
import { relayFailure } from "./api/relay.ts";
import type { CommandContext, Streams } from "./command-context.ts";
import { CommandFailure } from "./command-failure.ts";
import { GatewayAbsence } from "./gateway-absence.ts";

/** Signals that are meant for the command; the others (such as stop and continue) act on this program itself. */
const forwardedSignals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

/** Of these, after how many this program ends at once: a command that ignores them must not hold the user's terminal. */
const IMPATIENT_AFTER = 3;

/** What a shell reports for a program that a signal ended: 128 and the signal's number (signal(7)). */
const EXIT_INTERRUPTED = 130;
const EXIT_BROKEN_PIPE = 141;

const CTRL_C = 3;

export interface ExecRequest extends Omit<ExecStart, "terminal"> {
  readonly tty: boolean;
}

/**
 * Runs the command until it ends. @returns its exit code, or 128 and the signal's number.
 * Throws RpcError or CommandFailure when it could not be run to its end.
 */
export async function execSession(request: ExecRequest, gateway: Gateway, context: CommandContext): Promise<number> {
  const { tty, ...start } = request;
  using undo = new DisposableStack();
  const absence = undo.use(new GatewayAbsence(gateway, context));
  const call = openCommand(
    gateway,
    { ...start, ...(tty && { terminal: windowSize(context) }) },
    { onConnection: (isConnected) => absence.set(!isConnected) },
  );
  const ended = { by: undefined as number | undefined };
  const endWith = (exitCode: number) => {
    ended.by ??= exitCode;
    call.cancel();
  };
  const session: Session = { call, absence, undo, endWith };
  // One that runs without this program gets nothing of it, and Ctrl-C ends this program alone.
  if (!start.detach && start.attach === undefined) {
    forwardSignals(session, context);
    forwardInput(session, context);
    if (tty) await takeTerminal(session, context);
  }
  watchOutput(session, context);
  try {
    for await (const event of call.events()) {
      if (event.kind === "exit") return ended.by ?? event.code;
      await write(context[event.kind], event.data);
    }
  } catch (error) {
    if (ended.by === undefined) throw relayFailure(error);
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

/** A command that runs, and how it is left. */
interface Session {
  readonly call: ExecCall;
  readonly absence: GatewayAbsence;
  readonly undo: DisposableStack;
  readonly endWith: (exitCode: number) => void;
}

function forwardSignals({ call, absence, undo, endWith }: Session, { signals }: CommandContext): void {
  let patience = IMPATIENT_AFTER;
  for (const signal of forwardedSignals) {
    const forward = () => {
      // Nobody is there to pass it on, and will not be soon: it can only mean this program.
      if (absence.isTold) return endWith(EXIT_INTERRUPTED);
      call.signal(signal);
      if ((signal === "SIGINT" || signal === "SIGTERM") && --patience === 0) endWith(EXIT_INTERRUPTED);
    };
    signals.on(signal, forward);
    undo.defer(() => void signals.off(signal, forward));
  }
}

function forwardInput({ call, absence, undo, endWith }: Session, { stdin }: CommandContext): void {
  let open = true;
  const forward = (data: Buffer) => {
    // Keys of a raw terminal: with nobody there to pass it on, this one can only mean this program.
    if (stdin.isTTY && absence.isAway && data.includes(CTRL_C)) return endWith(EXIT_INTERRUPTED);
    if (call.write(data)) return;
    // A command that does not read must not make this program collect its whole input.
    stdin.pause();
    void call.drained().then(() => open && stdin.resume());
  };
  const close = () => {
    if (!open) return;
    open = false;
    call.endInput();
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
async function takeTerminal({ call, undo }: Session, context: CommandContext): Promise<void> {
  const { stdin, stdout } = context;
  // Loaded only here: it needs node:child_process, which takes longer than a round trip to the gateway.
  const { rawTerminal } = await import("./raw-terminal.ts");
  undo.use(rawTerminal(stdin));
  const resize = () => {
    const { columns, rows } = windowSize(context);
    call.resize(columns, rows);
  };
  stdout.on("resize", resize);
  undo.defer(() => void stdout.off("resize", resize));
}

/** The reader of our output went away (`… | head -1`): the command ends like any program in a pipe would. */
function watchOutput({ undo, endWith }: Session, { stdout, stderr }: CommandContext): void {
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
