/**
 * Who is at the other end of a Unix socket: SO_PEERCRED in unix(7), and POLLHUP in poll(2). Both are asked of the
 * descriptor that Node reads.
 */
import { readlinkSync } from "node:fs";
import { checked, libc } from "./libc.ts";

const getsockopt = libc.func(
  "int getsockopt(int fd, int level, int name, _Out_ void *value, _Inout_ uint32_t *length)",
);
const poll = libc.func("int poll(_Inout_ void *fds, unsigned long count, int timeoutMs)");

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** struct ucred: pid, uid, gid. */
const CREDENTIALS_BYTES = 12;
/** struct pollfd: the descriptor, the events asked for, the events found. */
const POLLFD_BYTES = 8;
const POLLERR = 0x008;
const POLLHUP = 0x010;

export interface PeerCredentials {
  /** 0 if the process is in a process namespace that this one does not see. */
  readonly pid: number;
  readonly uid: number;
}

/**
 * The process that connected, as it was then.
 * @throws SystemError
 */
export function peerCredentials(fd: number): PeerCredentials {
  const value = Buffer.alloc(CREDENTIALS_BYTES);
  checked(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, value, [CREDENTIALS_BYTES]), "getsockopt", "SO_PEERCRED");
  return { pid: value.readInt32LE(0), uid: value.readUInt32LE(4) };
}

/**
 * Whether the peer has closed its socket, also while there is unread data in front of the end, where read(2) would not
 * tell. One that has only shut down its sending side has not closed it.
 */
export function peerHasClosed(fd: number): boolean {
  const entry = Buffer.alloc(POLLFD_BYTES);
  entry.writeInt32LE(fd, 0);
  return poll(entry, 1, 0) === 1 && (entry.readInt16LE(6) & (POLLHUP | POLLERR)) !== 0;
}

/**
 * Whether a process is in the user namespace of this one; user_namespaces(7). False for one that may not be looked at,
 * or is gone.
 */
export function sharesUserNamespace(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/user`) === readlinkSync("/proc/self/ns/user");
  } catch {
    return false;
  }
}
