/** Attributes that a process sets on itself and that what it starts inherits: prctl(2), setrlimit(2). */
import { checked, libc } from "./libc.ts";

const prctl = libc.func("int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)");
const getrlimit = libc.func("int getrlimit(int resource, _Out_ void *limit)");
const setrlimit = libc.func("int setrlimit(int resource, const void *limit)");

const PR_SET_DUMPABLE = 4;
const PR_SET_NO_NEW_PRIVS = 38;

/** From here on execve(2) grants nothing: set-user-ID bits and file capabilities are ignored. Irrevocable. */
export function setNoNewPrivileges(): void {
  checked(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl", "PR_SET_NO_NEW_PRIVS");
}

/** Makes this process's memory and /proc entries unreadable for others of its user; programs it starts are not affected. */
export function setNotDumpable(): void {
  checked(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl", "PR_SET_DUMPABLE");
}

const resources = { fsize: 1, core: 4, nproc: 6, nofile: 7 } as const;
const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;
export type Resource = keyof typeof resources;

/** The soft limit; Infinity where there is none. */
export function softLimit(resource: Resource): number {
  const limit = Buffer.alloc(16);
  checked(getrlimit(resources[resource], limit), "getrlimit", resource);
  const soft = limit.readBigUInt64LE(0);
  return soft === RLIM_INFINITY ? Number.POSITIVE_INFINITY : Number(soft);
}

/**
 * Sets the soft and the hard limit, each at most what the hard limit is now.
 * @throws SystemError
 */
export function setLimit(resource: Resource, value: number): void {
  const limit = Buffer.alloc(16);
  checked(getrlimit(resources[resource], limit), "getrlimit", resource);
  const hard = limit.readBigUInt64LE(8);
  const wanted = BigInt(value) < hard ? BigInt(value) : hard;
  limit.writeBigUInt64LE(wanted, 0);
  limit.writeBigUInt64LE(wanted, 8);
  checked(setrlimit(resources[resource], limit), "setrlimit", resource);
}
