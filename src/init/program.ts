/**
 * A program that init has started, with pipes or with a terminal: one shape for both. Output is given to `onOutput` only
 * as far as credit reaches; a program that writes more waits, as it would on a full pipe. A socket that init holds
 * (loopback.ts) has the same shape.
 */
import type { Exited } from "./protocol.ts";

export interface Program {
  readonly pid: number;
  /** Of a listener. */
  readonly port?: number;
  write(bytes: Buffer): void;
  endInput(): void;
  resize(columns: number, rows: number): void;
  /** Signals the program's whole session group. */
  signal(number: number): void;
  pauseOutput(): void;
  resumeOutput(): void;
}

export interface ProgramEvents {
  onOutput(stream: "stdout" | "stderr", bytes: Buffer): void;
  /** So many bytes of input have been taken by the program. */
  onInputTaken(bytes: number): void;
  /** Comes once, after the last output. */
  onExit(exited: Exited): void;
}

/** Signals a process group; one that is gone already is no error. */
export function signalGroup(pid: number, signal: number): void {
  signalProcess(-pid, signal);
}

/**
 * Signals a process, or with a negative number a group, as kill(2) does; one that is gone already is no error, nor one
 * that is another user's.
 */
export function signalProcess(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code !== "ESRCH" && code !== "EPERM") throw error;
  }
}
