/**
 * Seccomp filters: rules compiled to classic BPF; seccomp(2). bubblewrap puts the program on the first process of the
 * sandbox before it runs (`--seccomp`), so that every thread of it and everything it starts is bound. A second filter, by
 * init itself, has what init must still do once, and the calls that are answered by a listener (seccomp-notify.ts).
 */
import koffi from "koffi";
import { checked, libc, SystemError } from "./libc.ts";
import type { ArgumentTest, Errno, SeccompRule } from "./seccomp-rules.ts";

export type Architecture = "x64" | "arm64";

const seccomp = libc.func("syscall", "long", ["long", "unsigned int", "unsigned int", "const void *"]);
/** System call number; the C library has no function for it. */
export const SECCOMP = process.arch === "arm64" ? 277 : 317;
const SECCOMP_SET_MODE_FILTER = 1;
const FILTER_FLAG_TSYNC = 1;
const FILTER_FLAG_NEW_LISTENER = 8;
const FILTER_FLAG_TSYNC_ESRCH = 16;
/** Linux 5.19. A call that the listener has received is then interrupted by no signal but a fatal one. */
const FILTER_FLAG_WAIT_KILLABLE_RECV = 32;

/** What the kernel reports as the calling architecture: AUDIT_ARCH_* of linux/audit.h. */
const auditArchitectures: Record<Architecture, number> = { x64: 0xc000003e, arm64: 0xc00000b7 };

/** Numbers of the errnos that the rules name; the same on both architectures. */
export const errnos: Readonly<Record<Errno, number>> = {
  none: 0,
  EPERM: 1,
  EACCES: 13,
  EBUSY: 16,
  EINVAL: 22,
  ENOSYS: 38,
  EAFNOSUPPORT: 97,
};

const RET_ALLOW = 0x7fff0000;
const RET_ERRNO = 0x00050000;
const RET_USER_NOTIF = 0x7fc00000;
/** On x86-64, numbers with this bit are x32's: the same calls by other numbers, and so a way around any list. */
const X32_SYSCALL_BIT = 0x40000000;

// Classic BPF; linux/bpf_common.h.
const LOAD_WORD = 0x20;
const AND = 0x54;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER_OR_EQUAL = 0x35;
const RETURN = 0x06;

// Offsets in struct seccomp_data; arguments are 64-bit little endian, and the low half is what the calls here look at.
const OFFSET_NUMBER = 0;
const OFFSET_ARCHITECTURE = 4;
const offsetOfArgument = (index: number): number => 16 + 8 * index;

interface Instruction {
  readonly code: number;
  readonly ifTrue: number;
  readonly ifFalse: number;
  readonly k: number;
}

const statement = (code: number, k: number): Instruction => ({ code, ifTrue: 0, ifFalse: 0, k });
const refuseWith = (errno: Errno): Instruction => statement(RETURN, RET_ERRNO | errnos[errno]);
const askListener = statement(RETURN, RET_USER_NOTIF);

/** Who refuses a recorded call: the kernel, unseen, or whoever has the filter's listener. */
export type Refuser = "kernel" | "listener";

/**
 * The rules as a program of `struct sock_filter`, 8 bytes an instruction.
 * Calls by a foreign architecture's numbers are refused whole, with ENOSYS: no list of ours speaks of them.
 */
export function compileSeccomp(
  rules: readonly SeccompRule[],
  architecture: Architecture,
  refuser: Refuser = "kernel",
): Buffer {
  const program: Instruction[] = [
    statement(LOAD_WORD, OFFSET_ARCHITECTURE),
    { code: JUMP_EQUAL, ifTrue: 1, ifFalse: 0, k: auditArchitectures[architecture] },
    refuseWith("ENOSYS"),
    statement(LOAD_WORD, OFFSET_NUMBER),
  ];
  if (architecture === "x64") {
    program.push({ code: JUMP_GREATER_OR_EQUAL, ifTrue: 0, ifFalse: 1, k: X32_SYSCALL_BIT }, refuseWith("ENOSYS"));
  }
  for (const rule of rules) {
    if (rule.watched && refuser === "kernel") continue;
    const number = rule.numbers[architecture];
    const isAsked = (rule.recorded || rule.watched) && refuser === "listener";
    const refusal = isAsked ? askListener : refuseWith(rule.errno);
    if (number !== undefined) program.push(...compileRule(rule.when ?? [], number, refusal));
  }
  program.push(statement(RETURN, RET_ALLOW));
  return encode(program);
}

/** `if (number == n && tests…) return refusal`, leaving the number loaded for the next rule. */
function compileRule(tests: readonly ArgumentTest[], number: number, refusal: Instruction): Instruction[] {
  if (tests.length === 0) return [{ code: JUMP_EQUAL, ifTrue: 0, ifFalse: 1, k: number }, refusal];
  const reload = statement(LOAD_WORD, OFFSET_NUMBER);
  // Built from the end, since a failing test jumps over all that follows it, to the reload.
  let body: Instruction[] = [refusal];
  for (const test of [...tests].reverse()) body = [...compileTest(test, body.length), ...body];
  return [{ code: JUMP_EQUAL, ifTrue: 0, ifFalse: body.length + 1, k: number }, ...body, reload];
}

function compileTest(test: ArgumentTest, following: number): Instruction[] {
  const holds = test.negate ? { ifTrue: following, ifFalse: 0 } : { ifTrue: 0, ifFalse: following };
  return [
    statement(LOAD_WORD, offsetOfArgument(test.argument)),
    statement(AND, test.mask),
    { code: JUMP_EQUAL, ...holds, k: test.equals },
  ];
}

function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, { code, ifTrue, ifFalse, k }] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(k >>> 0, index * 8 + 4);
  }
  return bytes;
}

/**
 * Puts a compiled filter on this process, all its threads, and what it starts from now on, for good. Needs `no_new_privs`.
 * @throws SystemError
 */
export function installSeccomp(program: Buffer): void {
  setFilter(program, FILTER_FLAG_TSYNC | FILTER_FLAG_TSYNC_ESRCH);
}

/**
 * The same with a listener, whose descriptor (close-on-exec) this returns. From then on a call that the filter asks about
 * waits for the listener's answer, or fails with ENOSYS if nobody has the listener any more.
 * Undefined, and no filter, where an outer sandbox has a listener already: the kernel allows one among all filters.
 * @throws SystemError
 */
export function installSeccompWithListener(program: Buffer): number | undefined {
  const flags = FILTER_FLAG_TSYNC | FILTER_FLAG_TSYNC_ESRCH | FILTER_FLAG_NEW_LISTENER;
  // Else a signal (a timer's, a child's) has the caller ask again, so that one call counts as two, or as any number.
  const listener = setFilterUnless(["EINVAL", "EBUSY"], program, flags | FILTER_FLAG_WAIT_KILLABLE_RECV);
  return listener ?? setFilterUnless(["EBUSY"], program, flags);
}

/** Undefined if it fails in one of these ways. */
function setFilterUnless(codes: readonly string[], program: Buffer, flags: number): number | undefined {
  try {
    return setFilter(program, flags);
  } catch (error) {
    if (error instanceof SystemError && codes.includes(error.code)) return undefined;
    throw error;
  }
}

function setFilter(program: Buffer, flags: number): number {
  // struct sock_fprog: the number of instructions, then the pointer to them.
  const header = Buffer.alloc(16);
  header.writeUInt16LE(program.length / 8, 0);
  header.writeBigUInt64LE(koffi.address(program), 8);
  return checked(Number(seccomp(SECCOMP, SECCOMP_SET_MODE_FILTER, flags, header)), "seccomp", "SET_MODE_FILTER");
}
