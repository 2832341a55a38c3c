/**
 * The listener of a seccomp filter, which answers in the kernel's place; seccomp_unotify(2). The caller waits meanwhile.
 *
 * An answer that decides is always an errno. Letting a call go on (SECCOMP_USER_NOTIF_FLAG_CONTINUE) is for calls that
 * something else decides about, as mounts and Landlock do about files: its arguments may have changed by then.
 */
import { readlinkSync } from "node:fs";
import { checked, lastError, libc } from "./libc.ts";
import { SECCOMP } from "./seccomp.ts";

const seccomp = libc.func("syscall", "long", ["long", "unsigned int", "unsigned int", "_Out_ void *"]);
const ioctl = libc.func("int ioctl(int fd, unsigned long request, void *argument)");
const poll = libc.func("int poll(void *descriptors, unsigned long count, int timeout)");

const SECCOMP_GET_NOTIF_SIZES = 3;
// linux/seccomp.h; the numbers hold the sizes of the structures as they were first, which is how the kernel knows them.
const IOCTL_NOTIF_RECV = 0xc0502100;
const IOCTL_NOTIF_SEND = 0xc0182101;
const IOCTL_NOTIF_ID_VALID = 0x40082102;
const POLLIN = 1;

/** struct seccomp_notif: id, pid, flags, then struct seccomp_data: number, architecture, instruction, six arguments. */
const noticeSize = 80;
const pidAt = 8;
const numberAt = 16;
const argumentsAt = 32;
/** struct seccomp_notif_resp: id, value, error, flags. */
const answerSize = 24;
const errorAt = 16;
const answerFlagsAt = 20;
const FLAG_CONTINUE = 1;

/** A call that waits for its answer. */
export interface WaitingCall {
  readonly id: bigint;
  /** The thread that called, in the receiver's own numbering. Somebody else's when the call no longer waits. */
  readonly thread: number;
  readonly number: number;
  /** The low halves of the six arguments, which is what rules look at. */
  readonly arguments: readonly number[];
  /** All of them, which is what pointers are. */
  readonly pointers: readonly bigint[];
}

/** Whether a descriptor is a filter's listener. */
export function isSeccompListener(fd: number): boolean {
  return readlinkSync(`/proc/self/fd/${fd}`) === "anon_inode:seccomp notify";
}

/** Receives and answers calls. Made once, since the kernel is asked for the sizes of its structures. */
export class SeccompListener {
  readonly #fd: number;
  readonly #notice: Buffer;
  readonly #answer: Buffer;

  /** @throws SystemError */
  constructor(fd: number) {
    this.#fd = fd;
    // Three 16-bit numbers, of which the third is inside the first. A newer kernel's structures may be longer at their end.
    const sizes = Buffer.alloc(6);
    checked(Number(seccomp(SECCOMP, SECCOMP_GET_NOTIF_SIZES, 0, sizes)), "seccomp", "GET_NOTIF_SIZES");
    this.#notice = Buffer.alloc(Math.max(noticeSize, sizes.readUInt16LE(0)));
    this.#answer = Buffer.alloc(Math.max(answerSize, sizes.readUInt16LE(2)));
  }

  /**
   * The next call, or `none` if none waits. `closed` when nothing is left that the filter binds.
   * Does not block: a call that poll(2) tells of is received, or has gone meanwhile, which the kernel says at once (ENOENT).
   * @throws SystemError
   */
  receive(): WaitingCall | "none" | "closed" {
    const ready = readiness(this.#fd);
    if ((ready & POLLIN) === 0) return ready === 0 ? "none" : "closed";
    this.#notice.fill(0); // or the kernel refuses
    if (ioctl(this.#fd, IOCTL_NOTIF_RECV, this.#notice) === -1) {
      throwUnlessGone("NOTIF_RECV");
      return "none";
    }
    return {
      id: this.#notice.readBigUInt64LE(0),
      thread: this.#notice.readUInt32LE(pidAt),
      number: this.#notice.readInt32LE(numberAt),
      arguments: Array.from({ length: 6 }, (_, index) => this.#notice.readUInt32LE(argumentsAt + 8 * index)),
      pointers: Array.from({ length: 6 }, (_, index) => this.#notice.readBigUInt64LE(argumentsAt + 8 * index)),
    };
  }

  /** Whether a call still waits: what was read of its thread until now was read of the one that called. */
  isWaiting({ id }: WaitingCall): boolean {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(id);
    return ioctl(this.#fd, IOCTL_NOTIF_ID_VALID, bytes) === 0;
  }

  /**
   * Makes a call fail with an errno's number. One that no longer waits needs no answer.
   * @throws SystemError
   */
  refuse({ id }: WaitingCall, errno: number): void {
    this.#answer.fill(0);
    this.#answer.writeBigUInt64LE(id, 0);
    this.#answer.writeInt32LE(-errno, errorAt);
    this.#send();
  }

  /**
   * Lets a call go on, to be decided by the kernel.
   * @throws SystemError
   */
  goOn({ id }: WaitingCall): void {
    this.#answer.fill(0);
    this.#answer.writeBigUInt64LE(id, 0);
    this.#answer.writeUInt32LE(FLAG_CONTINUE, answerFlagsAt);
    this.#send();
  }

  #send(): void {
    if (ioctl(this.#fd, IOCTL_NOTIF_SEND, this.#answer) === -1) throwUnlessGone("NOTIF_SEND");
  }
}

/** A call has gone when its caller was killed, or interrupted by a signal (since Linux 5.19 only before it was received). */
function throwUnlessGone(about: string): void {
  const error = lastError("ioctl", about);
  if (error.code !== "ENOENT" && error.code !== "EINTR") throw error;
}

/** struct pollfd: descriptor, events asked for, events found. */
function readiness(fd: number): number {
  const descriptor = Buffer.alloc(8);
  descriptor.writeInt32LE(fd, 0);
  descriptor.writeInt16LE(POLLIN, 4);
  return poll(descriptor, 1, 0) > 0 ? descriptor.readUInt16LE(6) : 0;
}
