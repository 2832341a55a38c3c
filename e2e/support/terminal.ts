/** A terminal with a program on it, as a person has one: what is typed, what is shown, and a window that changes. */
import { spawn } from "@lydell/node-pty";

/** Long enough on a busy machine; a test that waits longer hangs. */
const patienceMs = 20_000;

export interface TerminalOptions {
  readonly columns: number;
  readonly rows: number;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

export interface Terminal {
  type(keys: string): void;
  resize(columns: number, rows: number): void;
  /** Settles when what was shown since the last call matches; rejects when it won't. */
  shows(pattern: RegExp): Promise<void>;
  readonly exitCode: Promise<number>;
}

export function openTerminal(command: readonly string[], options: TerminalOptions): Terminal {
  const { columns: cols, rows, cwd, user } = options;
  const [program = "", ...args] = command;
  const pty = spawn(program, args, { cols, rows, cwd, env: { ...options.env, TERM: "xterm" }, ...user });
  let shown = "";
  let look = () => {};
  pty.onData((text) => {
    shown += text;
    look();
  });
  const exitCode = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
  return {
    exitCode,
    type: (keys) => pty.write(keys),
    resize: (columns, rows) => pty.resize(columns, rows),
    shows: (pattern) =>
      new Promise((resolve, reject) => {
        const fail = () => reject(new Error(`no ${pattern} in ${JSON.stringify(shown)}`));
        const timer = setTimeout(fail, patienceMs);
        void exitCode.then(() => setImmediate(fail));
        look = () => {
          if (!pattern.test(shown)) return;
          shown = "";
          clearTimeout(timer);
          resolve();
        };
        look();
      }),
  };
}
