/** System calls as rules see them and as people read them. */
import { constants } from "node:os";
import type { Architecture } from "./seccomp.ts";
import type { ArgumentTest, SeccompRule } from "./seccomp-rules.ts";

/** A call by its number, with the low halves of its arguments. */
export interface SystemCall {
  readonly number: number;
  readonly arguments: readonly number[];
}

/** The first of the rules that refuses a call, as a filter made of them would find it. */
export function refusingRule(
  rules: readonly SeccompRule[],
  call: SystemCall,
  architecture: Architecture,
): SeccompRule | undefined {
  return rules.find(({ numbers, when = [] }) => {
    return numbers[architecture] === call.number && when.every((test) => holds(test, call.arguments));
  });
}

function holds({ argument, mask, equals, negate = false }: ArgumentTest, values: readonly number[]): boolean {
  return (((values[argument] ?? 0) & mask) >>> 0 === equals) !== negate;
}

/** clone(2), unshare(2), setns(2); the flags that ask for a namespace. */
const namespaceFlags: readonly (readonly [number, string])[] = [
  [0x80, "CLONE_NEWTIME"],
  [0x20000, "CLONE_NEWNS"],
  [0x2000000, "CLONE_NEWCGROUP"],
  [0x4000000, "CLONE_NEWUTS"],
  [0x8000000, "CLONE_NEWIPC"],
  [0x10000000, "CLONE_NEWUSER"],
  [0x20000000, "CLONE_NEWPID"],
  [0x40000000, "CLONE_NEWNET"],
];

/** ptrace(2); those with which one begins to trace, and to look or to write. */
const traceRequests = new Map([
  [0, "PTRACE_TRACEME"],
  [1, "PTRACE_PEEKTEXT"],
  [2, "PTRACE_PEEKDATA"],
  [4, "PTRACE_POKETEXT"],
  [5, "PTRACE_POKEDATA"],
  [16, "PTRACE_ATTACH"],
  [0x4206, "PTRACE_SEIZE"],
]);

/** socket(2). */
const addressFamilies = new Map([
  [2, "AF_INET"],
  [10, "AF_INET6"],
  [17, "AF_PACKET"],
  [38, "AF_ALG"],
  [40, "AF_VSOCK"],
]);
const SOCK_RAW = 3;
const SOCK_TYPE_MASK = 0xf;

/** ioctl_tty(2). */
const terminalRequests = new Map([
  [0x5412, "TIOCSTI"],
  [0x541c, "TIOCLINUX"],
]);

/** signal(7). */
const signals = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** `unshare(CLONE_NEWUSER|CLONE_NEWNET)`: the call with those of its arguments that say what was wanted. */
export function describeCall(name: string, [first = 0, second = 0, third = 0]: readonly number[]): string {
  switch (name) {
    case "unshare":
      return `unshare(${namespaces(first)})`;
    case "clone":
      // The low byte is a signal there.
      return `clone(${namespaces(first & ~0xff)})`;
    case "setns":
      return `setns(${second === 0 ? "any" : namespaces(second)})`;
    case "ptrace":
      return `ptrace(${traceRequests.get(first) ?? first})`;
    case "socket": {
      const family = addressFamilies.get(first) ?? String(first);
      return `socket(${family}${(second & SOCK_TYPE_MASK) === SOCK_RAW ? ", SOCK_RAW" : ""})`;
    }
    case "ioctl":
      return `ioctl(${terminalRequests.get(second) ?? second})`;
    case "kill":
    case "tkill":
    case "rt_sigqueueinfo":
      return `${name}(${first | 0}, ${signals.get(second) ?? second})`;
    case "tgkill":
    case "rt_tgsigqueueinfo":
      return `${name}(${first | 0}, ${second | 0}, ${signals.get(third) ?? third})`;
    default:
      return name;
  }
}

function namespaces(flags: number): string {
  return namespaceFlags
    .filter(([flag]) => (flags & flag) !== 0)
    .map(([, name]) => name)
    .join("|");
}
