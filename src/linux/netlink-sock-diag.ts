/**
 * Asks the kernel about one TCP socket; sock_diag(7), linux/inet_diag.h. One exact look-up instead of a walk through
 * /proc/net/tcp, so that its cost does not depend on how many connections the sandbox has.
 *
 * The descriptor comes from init, which opened it in the sandbox's network namespace and is not trusted. So the socket's
 * kind is checked once, and each answer is checked against the question: init may keep a duplicate and could ask, or
 * read answers away, at the same time.
 */
import { randomInt } from "node:crypto";
import { checked, lastError, libc } from "./libc.ts";

const send = libc.func("int64_t send(int fd, const void *data, size_t length, int flags)");
const recv = libc.func("int64_t recv(int fd, _Out_ void *data, size_t length, int flags)");
const getsockopt = libc.func("int getsockopt(int fd, int level, int name, _Out_ int *value, _Inout_ uint32_t *length)");

const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const NETLINK_SOCK_DIAG = 4;
const IPPROTO_TCP = 6;
const SOL_SOCKET = 1;
const SO_PROTOCOL = 38;
const SO_DOMAIN = 39;
const MSG_DONTWAIT = 0x40;
const NLM_F_REQUEST = 1;
const SOCK_DIAG_BY_FAMILY = 20;
/** TCP_LISTEN: the kernel offers a listener where no connection matches. */
const TCP_LISTEN = 10;

/** struct nlmsghdr; netlink(7). */
const headerSize = 16;
/** nlmsghdr and struct inet_diag_req_v2: family, protocol, extensions, padding, states, struct inet_diag_sockid. */
const requestSize = headerSize + 8 + 48;
/** nlmsghdr and struct inet_diag_msg. */
const answerSize = headerSize + 72;
/** struct inet_diag_sockid begins here in the request, and 4 bytes earlier in the answer (which has no `states`). */
const requestIdAt = headerSize + 8;
const answerIdAt = headerSize + 4;
const inodeAt = headerSize + 68;
/** Answers to somebody else's questions that are skipped before giving up: init may use a duplicate of the socket. */
const strangersSkipped = 16;

/** The two ends of a TCP socket as it knows itself; addresses in network order, both 4 bytes or both 16. */
export interface SocketQuestion {
  readonly localAddress: Uint8Array;
  readonly localPort: number;
  readonly remoteAddress: Uint8Array;
  readonly remotePort: number;
}

/** Whether a descriptor is a NETLINK_SOCK_DIAG socket. */
export function isSockDiag(fd: number): boolean {
  return socketOption(fd, SO_DOMAIN) === AF_NETLINK && socketOption(fd, SO_PROTOCOL) === NETLINK_SOCK_DIAG;
}

function socketOption(fd: number, option: number): number | undefined {
  const value = [0];
  return getsockopt(fd, SOL_SOCKET, option, value, [4]) === -1 ? undefined : value[0];
}

/**
 * The inode of the socket with these two ends, or undefined if there is none or no process holds it any more.
 * @throws SystemError if the kernel can't be asked
 */
export function tcpSocketInode(fd: number, question: SocketQuestion): number | undefined {
  // Random, so that an answer to another question (see above) is never taken for ours.
  const sequence = randomInt(1, 2 ** 32 - 1);
  const request = encodeQuestion(question, sequence);
  checked(Number(send(fd, request, request.length, MSG_DONTWAIT)), "send", "NETLINK_SOCK_DIAG");
  const answer = Buffer.alloc(answerSize + 256);
  for (let skipped = 0; skipped < strangersSkipped; skipped++) {
    const length = Number(recv(fd, answer, answer.length, MSG_DONTWAIT));
    if (length === -1) throw lastError("recv", "NETLINK_SOCK_DIAG");
    if (length < headerSize || answer.readUInt32LE(8) !== sequence) continue;
    return inodeIn(answer.subarray(0, length), request);
  }
  return undefined;
}

function encodeQuestion(question: SocketQuestion, sequence: number): Buffer {
  const request = Buffer.alloc(requestSize);
  request.writeUInt32LE(requestSize, 0);
  request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
  request.writeUInt16LE(NLM_F_REQUEST, 6);
  request.writeUInt32LE(sequence, 8);
  request[headerSize] = question.localAddress.length === 4 ? AF_INET : AF_INET6;
  request[headerSize + 1] = IPPROTO_TCP;
  request.fill(0xff, headerSize + 4, headerSize + 8); // every state
  request.writeUInt16BE(question.localPort, requestIdAt);
  request.writeUInt16BE(question.remotePort, requestIdAt + 2);
  request.set(question.localAddress, requestIdAt + 4);
  request.set(question.remoteAddress, requestIdAt + 20);
  request.fill(0xff, requestIdAt + 40, requestIdAt + 48); // INET_DIAG_NOCOOKIE: any incarnation
  return request;
}

/** The inode in an answer, if it is one and about the socket that was asked for. */
function inodeIn(answer: Buffer, request: Buffer): number | undefined {
  // An error message (NLMSG_ERROR) mostly says ENOENT: no such socket.
  if (answer.readUInt16LE(4) !== SOCK_DIAG_BY_FAMILY || answer.length < answerSize) return undefined;
  if (answer[headerSize + 1] === TCP_LISTEN) return undefined;
  const samePorts = answer.readUInt32LE(answerIdAt) === request.readUInt32LE(requestIdAt);
  if (!samePorts || !sameAddresses(answer, request)) return undefined;
  const inode = answer.readUInt32LE(inodeAt);
  return inode === 0 ? undefined : inode;
}

/** An IPv6 socket that talks IPv4 answers to an IPv4 question with mapped addresses: `::ffff:` before the four bytes. */
function sameAddresses(answer: Buffer, request: Buffer): boolean {
  const asked = request[headerSize] === AF_INET ? 4 : 16;
  const from = asked === 4 && answer[headerSize] === AF_INET6 ? 12 : 0;
  return [4, 20].every((offset) => {
    const said = answer.subarray(answerIdAt + offset + from, answerIdAt + offset + from + asked);
    return said.equals(request.subarray(requestIdAt + offset, requestIdAt + offset + asked));
  });
}
