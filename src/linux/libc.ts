/**
 * The C library, opened once. This folder is the only one that imports koffi; everything above it sees typed functions.
 */
import koffi from "koffi";

export const libc = koffi.load("libc.so.6");

/** A system call that failed, as errno(3) tells it. */
export class SystemError extends Error {
  readonly syscall: string;
  readonly errno: number;
  /** Symbolic name such as `EACCES`. */
  readonly code: string;

  constructor(syscall: string, errno: number, about = "") {
    const code = errnoNames.get(errno) ?? `errno ${errno}`;
    super(`${syscall}${about && ` ${about}`}: ${code}`);
    this.name = "SystemError";
    this.syscall = syscall;
    this.errno = errno;
    this.code = code;
  }
}

const errnoNames = new Map(Object.entries(koffi.os.errno).map(([name, number]) => [number, name]));

/** The last call's errno as an error. Must be asked for at once, before anything else calls into C. */
export function lastError(syscall: string, about?: string): SystemError {
  return new SystemError(syscall, koffi.errno(), about);
}

/** Passes a result on, or throws the errno if it is -1. */
export function checked(result: number, syscall: string, about?: string): number {
  if (result === -1) throw lastError(syscall, about);
  return result;
}
