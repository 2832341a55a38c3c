/**
 * sendmsg(2) and recvmsg(2) with ancillary data: file descriptors (SCM_RIGHTS) and the sender's process id
 * (SCM_CREDENTIALS); unix(7), cmsg(3).
 *
 * The structures are laid out by hand in buffers: they hold pointers to each other, and the layout is the same on every
 * 64-bit Linux (struct msghdr 56 bytes, struct iovec 16, struct cmsghdr 16, all little endian here).
 */
import koffi from "koffi";
import { checked, libc } from "./libc.ts";

const sendmsg = libc.func("int64_t sendmsg(int fd, const void *message, int flags)");
const recvmsg = libc.func("int64_t recvmsg(int fd, void *message, int flags)");
const setsockopt = libc.func("int setsockopt(int fd, int level, int name, const void *value, uint32_t length)");

const SOL_SOCKET = 1;
const SO_PASSCRED = 16;
const SCM_RIGHTS = 1;
const SCM_CREDENTIALS = 2;
const MSG_CTRUNC = 0x8;
const MSG_CMSG_CLOEXEC = 0x40000000;
const MSG_NOSIGNAL = 0x4000;

const msghdrSize = 56;
const iovecSize = 16;
const cmsgHeaderSize = 16;
/** struct ucred: pid, uid, gid. */
const credentialsSize = 12;

/** Control data is aligned to the machine's word; CMSG_ALIGN in cmsg(3). */
const align = (length: number): number => (length + 7) & ~7;

/** A msghdr with one iovec over `data` and `control` as its ancillary buffer. The buffers must outlive the call. */
function messageHeader(data: Buffer, control: Buffer): { header: Buffer; vector: Buffer } {
  const vector = Buffer.alloc(iovecSize);
  vector.writeBigUInt64LE(koffi.address(data), 0);
  vector.writeBigUInt64LE(BigInt(data.length), 8);
  const header = Buffer.alloc(msghdrSize);
  header.writeBigUInt64LE(koffi.address(vector), 16);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(koffi.address(control), 32);
  header.writeBigUInt64LE(BigInt(control.length), 40);
  return { header, vector };
}

/**
 * Sends `data` (not empty) and duplicates of `fds` over a Unix socket; the caller's descriptors stay open.
 * @throws SystemError
 */
export function sendDescriptors(socket: number, data: Buffer, fds: readonly number[]): void {
  const length = cmsgHeaderSize + 4 * fds.length;
  const control = Buffer.alloc(align(length));
  control.writeBigUInt64LE(BigInt(length), 0);
  control.writeInt32LE(SOL_SOCKET, 8);
  control.writeInt32LE(SCM_RIGHTS, 12);
  for (const [index, fd] of fds.entries()) control.writeInt32LE(fd, cmsgHeaderSize + 4 * index);
  const { header } = messageHeader(data, control);
  checked(Number(sendmsg(socket, header, MSG_NOSIGNAL)), "sendmsg");
}

/** Makes the kernel attach the sender's process id, in the receiver's own numbering, to each message; unix(7). */
export function passCredentials(socket: number): void {
  const on = Buffer.alloc(4);
  on.writeInt32LE(1);
  checked(setsockopt(socket, SOL_SOCKET, SO_PASSCRED, on, on.length), "setsockopt", "SO_PASSCRED");
}

export interface ReceivedDescriptors {
  readonly data: Buffer;
  /** Close-on-exec. */
  readonly fds: number[];
  /** Who sent it, as the kernel says; present after `passCredentials`. */
  readonly senderPid: number | undefined;
}

/**
 * Receives one message of at most `maxBytes` with at most `maxDescriptors` descriptors.
 * @throws SystemError; Error if the kernel had to drop ancillary data
 */
export function receiveDescriptors(socket: number, maxBytes: number, maxDescriptors: number): ReceivedDescriptors {
  const data = Buffer.alloc(maxBytes);
  const control = Buffer.alloc(align(cmsgHeaderSize + 4 * maxDescriptors) + align(cmsgHeaderSize + credentialsSize));
  const { header } = messageHeader(data, control);
  const received = checked(Number(recvmsg(socket, header, MSG_CMSG_CLOEXEC)), "recvmsg");
  if (header.readInt32LE(48) & MSG_CTRUNC) throw new Error("recvmsg: ancillary data was cut short");
  const ancillary = control.subarray(0, Number(header.readBigUInt64LE(40)));
  return { data: data.subarray(0, received), ...readAncillary(ancillary) };
}

function readAncillary(control: Buffer): { fds: number[]; senderPid: number | undefined } {
  const fds: number[] = [];
  let senderPid: number | undefined;
  for (let offset = 0; offset + cmsgHeaderSize <= control.length; ) {
    const length = Number(control.readBigUInt64LE(offset));
    if (length < cmsgHeaderSize) break;
    const type = control.readInt32LE(offset + 12);
    const body = control.subarray(offset + cmsgHeaderSize, offset + length);
    if (type === SCM_RIGHTS) for (let at = 0; at + 4 <= body.length; at += 4) fds.push(body.readInt32LE(at));
    if (type === SCM_CREDENTIALS) senderPid = body.readInt32LE(0);
    offset += align(length);
  }
  return { fds, senderPid };
}
