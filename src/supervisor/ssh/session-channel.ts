/**
 * A session channel (RFC 4254, section 6): one program of the sandbox, with a terminal or without.
 * Takes  what the client asks for before (variables, a terminal) and while it runs (sizes, signals).
 * Gives  the program's output and its exit, by code or by signal.
 * Refuses agent forwarding and X11: each would let the sandbox use something of the user's machine.
 */
import { constants } from "node:os";
import type { PseudoTtyInfo, ServerChannel, Session, WindowChangeInfo } from "ssh2";
import type { Exited, SpawnRequest } from "../../init/protocol.ts";
import { LOGIN_SHELL, notStartedCode, whyNotStarted } from "../exec.ts";
import { ProgramNotStarted, type SandboxProgram } from "../init-link.ts";
import { ChannelWriter } from "./channel-writer.ts";
import type { SshConnection } from "./ssh-connection.ts";

const SHELL = "/bin/bash";
/** Speaks SFTP on its standard streams, and has no more rights than other programs. */
const SFTP_SERVER = ["/run/openshell/node", "/run/openshell/dist/sftp-server.cjs"];
/** What clients may ask for by name. The published CLI's `sandbox connect` asks for the second. */
const subsystems: Readonly<Record<string, { readonly command: readonly string[]; readonly what: string }>> = {
  sftp: { command: SFTP_SERVER, what: "SFTP" },
  "openshell-main": { command: LOGIN_SHELL, what: "a shell" },
};

/** What a client may set before its program starts; an honest one sets its locale. */
const MAX_VARIABLES = 128;
const MAX_VARIABLE_BYTES = 32 * 1024;

type TerminalSize = NonNullable<SpawnRequest["terminal"]>;

/** What the client has asked for so far. */
interface Asked {
  readonly environment: Record<string, string>;
  terminal?: TerminalSize;
  program?: SandboxProgram;
}

/** Serves a channel that has been accepted. */
export function serveSession(session: Session, connection: SshConnection): void {
  const asked: Asked = { environment: {} };
  const hangUp = () => asked.program?.signal(constants.signals.SIGHUP);
  const leave = connection.onClose(hangUp);
  session.once("close", () => {
    leave();
    hangUp();
  });
  prepare(session, asked);
  follow(session, asked);
  const run = (channel: ServerChannel | undefined, command: readonly string[], what: string) => {
    if (channel === undefined) return;
    connection.record("open", what);
    void runProgram(channel, { command, asked, connection });
  };
  session.on("shell", (accept) => run(accept(), LOGIN_SHELL, "a shell"));
  session.on("exec", (accept, _reject, { command }) => run(accept(), [SHELL, "-c", command], "a command"));
  session.on("subsystem", (accept, reject, { name }) => {
    const known = Object.hasOwn(subsystems, name) ? subsystems[name] : undefined;
    if (known !== undefined) return run(accept(), known.command, known.what);
    connection.record("refuse", "a subsystem", "there is none of that name");
    reject();
  });
  const refused = (what: string) => (_accept: unknown, reject: (() => void) | undefined) => {
    connection.record("refuse", what, "nothing of the client's machine is lent to a sandbox");
    reject?.();
  };
  session.on("auth-agent", refused("agent forwarding"));
  session.on("x11", refused("X11 forwarding"));
}

function prepare(session: Session, asked: Asked): void {
  session.on("env", (accept, reject, { key, val }) => {
    const isFull = Object.keys(asked.environment).length >= MAX_VARIABLES || val.length > MAX_VARIABLE_BYTES;
    if (isFull || !/^[A-Za-z_]\w{0,255}$/.test(key) || val.includes("\0")) return reject?.();
    asked.environment[key] = val;
    accept?.();
  });
  session.on("pty", (accept, _reject, info) => {
    asked.terminal = sizeOf(info);
    if (/^[\w.+-]{1,64}$/.test(info.term)) asked.environment["TERM"] = info.term;
    accept?.();
  });
}

function follow(session: Session, asked: Asked): void {
  session.on("window-change", (accept, _reject, info) => {
    const { columns, rows } = sizeOf(info);
    asked.program?.resize(columns, rows);
    accept?.();
  });
  session.on("signal", (accept, reject, { name }) => {
    const number = constants.signals[`SIG${name}` as NodeJS.Signals];
    if (number === undefined || asked.program === undefined) return reject?.();
    asked.program.signal(number);
    accept?.();
  });
}

/** A terminal without a size, as from a client that has none itself, gets the usual one. */
function sizeOf({ cols, rows }: PseudoTtyInfo | WindowChangeInfo): TerminalSize {
  return { columns: Math.min(cols, 0xffff) || 80, rows: Math.min(rows, 0xffff) || 24 };
}

interface Run {
  readonly command: readonly string[];
  readonly asked: Asked;
  readonly connection: SshConnection;
}

async function runProgram(channel: ServerChannel, { command, asked, connection }: Run): Promise<void> {
  const { init, workdir, environment, onStarted } = connection.context;
  const program = init.start({
    command,
    environment: { ...environment, ...asked.environment },
    workdir,
    ...(asked.terminal && { terminal: asked.terminal }),
  });
  asked.program = program;
  const writer = new ChannelWriter(channel, connection.transport);
  const leave = connection.onClose(() => writer.close());
  channel.once("close", () => writer.close());
  channel.pipe(program.stdin);
  const said = Promise.all([pass(program.stdout, writer, "stdout"), pass(program.stderr, writer, "stderr")]);
  try {
    const onExited = onStarted(await program.started, command);
    const exited = await program.exited;
    onExited(exited);
    await said;
    tellExit(channel, exited);
  } catch (error) {
    await said;
    const failed = error instanceof ProgramNotStarted;
    const why = failed ? `${command[0]}: ${whyNotStarted(error)}` : "the sandbox ended";
    await writer.write(Buffer.from(`openshell: ${why}\n`), "stderr");
    tellExit(
      channel,
      failed ? { code: notStartedCode(error), signal: 0 } : { code: null, signal: constants.signals.SIGKILL },
    );
  }
  leave();
  channel.end();
}

async function pass(output: SandboxProgram["stdout"], writer: ChannelWriter, to: "stdout" | "stderr"): Promise<void> {
  for await (const chunk of output) await writer.write(chunk as Buffer, to);
}

/** The signals that SSH has names for (RFC 4254, section 6.10), and those that OpenSSH knows as well. */
const namedSignals = [
  "ABRT",
  "ALRM",
  "FPE",
  "HUP",
  "ILL",
  "INT",
  "KILL",
  "PIPE",
  "QUIT",
  "SEGV",
  "TERM",
  "USR1",
  "USR2",
];

function tellExit(channel: ServerChannel, { code, signal }: Exited): void {
  const name = namedSignals.find((it) => constants.signals[`SIG${it}` as NodeJS.Signals] === signal);
  if (code === null && name !== undefined) channel.exit(name, false, "");
  else channel.exit(code ?? 128 + signal);
}
