/** Starting a program on a pseudo-terminal of its own; pty(7). */
import { accessSync, constants, statSync } from "node:fs";
import { join } from "node:path";
import type { IPty } from "@lydell/node-pty";
import { type Program, type ProgramEvents, signalGroup } from "./program.ts";
import type { SpawnRequest } from "./protocol.ts";

/**
 * The program's file, as execvp(3) would find it. forkpty(3) runs in the child before the program is looked for, so that
 * its absence would otherwise be told on the terminal, as a text.
 * @throws NodeJS.ErrnoException with ENOENT or EACCES
 */
function findProgram(name: string, path = ""): string {
  const candidates = name.includes("/") ? [name] : path.split(":").map((folder) => join(folder || ".", name));
  const found = candidates.filter((candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile());
  const [first] = found;
  if (!first) throw Object.assign(new Error(`${name}: not found`), { code: "ENOENT" });
  const runnable = found.find(isExecutable);
  if (!runnable) throw Object.assign(new Error(`${first}: not executable`), { code: "EACCES" });
  return runnable;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Ctrl-D, which a terminal in its usual mode turns into end of input; termios(3), VEOF. */
const END_OF_INPUT = Buffer.from([4]);

/**
 * Starts `request.command` as the leader of a new session on a new terminal of the size asked for.
 * @throws NodeJS.ErrnoException if the program can't be found or run
 */
export async function startWithTerminal(request: SpawnRequest, events: ProgramEvents): Promise<Program> {
  // Loaded on first use: most programs that agents start want no terminal.
  const { spawn } = await import("@lydell/node-pty");
  const [name = "", ...args] = request.command;
  const file = findProgram(name, request.environment["PATH"]);
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
