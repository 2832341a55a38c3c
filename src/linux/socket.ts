/**
 * Raw sockets of the kinds that the sandbox's listeners need. Node could listen by itself, but would also accept: init
 * must only open them and hand them out. socket(2), bind(2), listen(2), socketpair(2).
 */
import { isIPv6 } from "node:net";
import { checked, libc } from "./libc.ts";

const socket = libc.func("int socket(int domain, int type, int protocol)");
const bind = libc.func("int bind(int fd, const void *address, uint32_t length)");
const listen = libc.func("int listen(int fd, int backlog)");
const setsockopt = libc.func("int setsockopt(int fd, int level, int name, const void *value, uint32_t length)");
const socketpair = libc.func("int socketpair(int domain, int type, int protocol, _Out_ int *pair)");
const inetPton = libc.func("int inet_pton(int family, const char *text, _Out_ void *address)");
const closeFd = libc.func("int close(int fd)");
const pipe2 = libc.func("int pipe2(_Out_ int *ends, int flags)");

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const O_CLOEXEC = 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/** As many as the kernel will queue (it caps this at net.core.somaxconn). */
const BACKLOG = 4096;

export interface ListenAddress {
  readonly transport: "tcp" | "udp";
  readonly address: string;
  readonly port: number;
}

/**
 * Opens, binds and (for TCP) listens. Returns a close-on-exec descriptor.
 * @throws SystemError
 */
export function openListener({ transport, address, port }: ListenAddress): number {
  const family = isIPv6(address) ? AF_INET6 : AF_INET;
  const type = transport === "tcp" ? SOCK_STREAM : SOCK_DGRAM;
  const about = `${transport} ${address} port ${port}`;
  const fd = checked(socket(family, type | SOCK_CLOEXEC, 0), "socket", about);
  try {
    // Or the IPv6 listener would also claim the IPv4 one's port.
    if (family === AF_INET6) {
      const on = Buffer.from([1, 0, 0, 0]);
      checked(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, on, 4), "setsockopt", "IPV6_V6ONLY");
    }
    const name = socketAddress(family, address, port);
    checked(bind(fd, name, name.length), "bind", about);
    if (transport === "tcp") checked(listen(fd, BACKLOG), "listen", about);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** struct sockaddr_in (ip(7)) or sockaddr_in6 (ipv6(7)). */
function socketAddress(family: number, address: string, port: number): Buffer {
  const bytes = Buffer.alloc(family === AF_INET6 ? 16 : 4);
  if (inetPton(family, address, bytes) !== 1) throw new Error(`not an address: ${address}`);
  const name = Buffer.alloc(family === AF_INET6 ? 28 : 16);
  name.writeUInt16LE(family, 0);
  name.writeUInt16BE(port, 2);
  bytes.copy(name, family === AF_INET6 ? 8 : 4);
  return name;
}

/** A socket to ask the kernel about the sockets of the network namespace it was opened in; sock_diag(7). */
export function openSocketDiagnostics(): number {
  return checked(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), "socket", "NETLINK_SOCK_DIAG");
}

/** A connected pair of Unix stream sockets, both close-on-exec. */
export function openSocketPair(): [number, number] {
  const pair: [number, number] = [-1, -1];
  checked(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
  return pair;
}

/** A pipe as [read end, write end], both close-on-exec; pipe(2). */
export function openPipe(): [number, number] {
  const ends: [number, number] = [-1, -1];
  checked(pipe2(ends, O_CLOEXEC), "pipe2");
  return ends;
}
