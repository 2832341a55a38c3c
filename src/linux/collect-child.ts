/** Collecting a process that has ended, without waiting for others; waitpid(2). */
import { libc } from "./libc.ts";

const waitpid = libc.func("int waitpid(int pid, void *status, int options)");

const WNOHANG = 1;

/** Whether `pid` was a child of this process that had ended; it is gone now. */
export function collectChild(pid: number): boolean {
  return waitpid(pid, null, WNOHANG) === pid;
}
