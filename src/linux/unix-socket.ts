/**
 * Unix stream sockets as raw descriptors, for what Node's own can't carry: descriptors (SCM_RIGHTS) and credentials come
 * with the first bytes, which nobody else may have read. unix(7), accept(2), connect(2).
 */
import { checked, libc } from "./libc.ts";

const socket = libc.func("int socket(int domain, int type, int protocol)");
const bind = libc.func("int bind(int fd, const void *address, uint32_t length)");
const listen = libc.func("int listen(int fd, int backlog)");
const accept4 = libc.func("int accept4(int fd, void *address, void *length, int flags)");
const connect = libc.func("int connect(int fd, const void *address, uint32_t length)");
const closeFd = libc.func("int close(int fd)");

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
/** sun_path, with the zero at its end. */
const MAX_PATH_BYTES = 108;

/** A listener for one client at `path`, which must be free. */
export function listenUnix(path: string): number {
  return withSocket(path, (fd, name) => {
    checked(bind(fd, name, name.length), "bind", path);
    checked(listen(fd, 1), "listen", path);
  });
}

/** The connection of a client that waits at a listener. */
export function acceptUnix(listener: number): number {
  return checked(accept4(listener, null, null, SOCK_CLOEXEC), "accept4");
}

/**
 * A connection to the listener at `path`.
 * @throws SystemError, with ENOENT or ECONNREFUSED while nobody listens there
 */
export function connectUnix(path: string): number {
  return withSocket(path, (fd, name) => {
    checked(connect(fd, name, name.length), "connect", path);
  });
}

function withSocket(path: string, use: (fd: number, name: Buffer) => void): number {
  const name = socketName(path);
  const fd = checked(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket", path);
  try {
    use(fd, name);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** struct sockaddr_un. */
function socketName(path: string): Buffer {
  const bytes = Buffer.from(`\0\0${path}\0`);
  if (bytes.length - 2 > MAX_PATH_BYTES) throw new Error(`${path} is too long for a socket`);
  bytes.writeUInt16LE(AF_UNIX, 0);
  return bytes;
}
