/** Starting a program on a pseudo-terminal of its own; pty(7). */
import type { IPty } from "@lydell/node-pty";
import { type Program, type ProgramEvents, signalGroup } from "./program.ts";
import type { SpawnRequest } from "./protocol.ts";

/** Ctrl-D, which a terminal in its usual mode turns into end of input; termios(3), VEOF. */
const END_OF_INPUT = Buffer.from([4]);

/**
 * Starts `request.command` as the leader of a new session on a new terminal of the size asked for.
 * @throws Error if the program can't be found, which forkpty(3) would only tell on the terminal
 */
export async function startWithTerminal(request: SpawnRequest, events: ProgramEvents): Promise<Program> {
  // Loaded on first use: most programs that agents start want no terminal.
  const { spawn } = await import("@lydell/node-pty");
  const [file = "", ...args] = request.command;
  const { columns, rows } = request.terminal ?? { columns: 80, rows: 24 };
  const terminal: IPty = spawn(file, args, {
    name: request.environment["TERM"] ?? "xterm-256color",
    cols: columns,
    rows,
    cwd: request.workdir,
    env: { ...request.environment },
    encoding: null,
  });
  // With `encoding: null` the data are bytes, which node-pty's types do not know.
  terminal.onData((data: unknown) => events.onOutput("stdout", data as Buffer));
  terminal.onExit(({ exitCode, signal }) => events.onExit({ code: signal ? null : exitCode, signal: signal ?? 0 }));
  return {
    pid: terminal.pid,
    write: (bytes) => {
      terminal.write(bytes as unknown as string);
      events.onInputTaken(bytes.length);
    },
    endInput: () => terminal.write(END_OF_INPUT as unknown as string),
    resize: (columns, rows) => terminal.resize(columns, rows),
    signal: (number) => signalGroup(terminal.pid, number),
    pauseOutput: () => terminal.pause(),
    resumeOutput: () => terminal.resume(),
  };
}
