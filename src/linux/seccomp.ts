/**
 * Seccomp filters: rules compiled to classic BPF; seccomp(2). bubblewrap puts the program on the first process of the
 * sandbox before it runs (`--seccomp`), so that every thread of it and everything it starts is bound. What init itself
 * must still do once goes into a second filter, which init puts on its main thread.
 */
import koffi from "koffi";
import { checked, libc } from "./libc.ts";
import type { ArgumentTest, Errno, SeccompRule } from "./seccomp-rules.ts";

export type Architecture = "x64" | "arm64";

const prctl = libc.func("int prctl(int option, unsigned long mode, const void *program)");
const PR_SET_SECCOMP = 22;
const SECCOMP_MODE_FILTER = 2;

/** What the kernel reports as the calling architecture: AUDIT_ARCH_* of linux/audit.h. */
const auditArchitectures: Record<Architecture, number> = { x64: 0xc000003e, arm64: 0xc00000b7 };

const errnos: Record<Errno, number> = { none: 0, EPERM: 1, EACCES: 13, EINVAL: 22, ENOSYS: 38, EAFNOSUPPORT: 97 };

const RET_ALLOW = 0x7fff0000;
const RET_ERRNO = 0x00050000;
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

/**
 * The rules as a program of `struct sock_filter`, 8 bytes an instruction.
 * Calls by a foreign architecture's numbers are refused whole, with ENOSYS: no list of ours speaks of them.
 */
export function compileSeccomp(rules: readonly SeccompRule[], architecture: Architecture): Buffer {
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
    const number = rule.numbers[architecture];
    if (number !== undefined) program.push(...compileRule(rule, number));
  }
  program.push(statement(RETURN, RET_ALLOW));
  return encode(program);
}

/** `if (number == n && tests…) return errno`, leaving the number loaded for the next rule. */
function compileRule(rule: SeccompRule, number: number): Instruction[] {
  const tests = rule.when ?? [];
  if (tests.length === 0) return [{ code: JUMP_EQUAL, ifTrue: 0, ifFalse: 1, k: number }, refuseWith(rule.errno)];
  const reload = statement(LOAD_WORD, OFFSET_NUMBER);
  // Built from the end, since a failing test jumps over all that follows it, to the reload.
  let body: Instruction[] = [refuseWith(rule.errno)];
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
 * Puts a compiled filter on the calling thread and on what it starts from now on, for good. Needs `no_new_privs`.
 * @throws SystemError
 */
export function installSeccomp(program: Buffer): void {
  // struct sock_fprog: the number of instructions, then the pointer to them.
  const header = Buffer.alloc(16);
  header.writeUInt16LE(program.length / 8, 0);
  header.writeBigUInt64LE(koffi.address(program), 8);
  checked(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header), "prctl", "PR_SET_SECCOMP");
}
