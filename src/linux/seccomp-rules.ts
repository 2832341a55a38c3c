/**
 * What a sandboxed program may not ask the kernel for. A deny list: programs that agents run use nearly all of the rest,
 * and what matters is out of reach anyway (no capabilities, namespaces, Landlock); this closes the kernel's attack
 * surface and the ways to make new namespaces.
 *
 * Each rule names the errno with which programs degrade best: ENOSYS where they have a fall-back for old kernels (clone3,
 * io_uring), EPERM where "not allowed" is an answer they know, EAFNOSUPPORT for sockets.
 */

/** System call numbers per architecture: x86-64, and the generic table that arm64 uses. */
export interface SyscallNumbers {
  readonly x64?: number;
  readonly arm64?: number;
}

/** `none`: the call is not made and says that it was, for what a program may believe without harm. */
export type Errno = "none" | "EPERM" | "ENOSYS" | "EACCES" | "EAFNOSUPPORT" | "EINVAL" | "EBUSY";

/** A condition on one argument's low 32 bits: `value & mask` equals (or differs from) `equals`. */
export interface ArgumentTest {
  readonly argument: number;
  readonly mask: number;
  readonly equals: number;
  readonly negate?: boolean;
}

export interface SeccompRule {
  readonly name: string;
  readonly numbers: SyscallNumbers;
  readonly errno: Errno;
  /** Refused when all hold; refused always when absent. */
  readonly when?: readonly ArgumentTest[];
  /**
   * The supervisor answers the call, with `errno`, and puts it on record: nobody asks for this but who wants out, or wants
   * at others. Calls that honest programs try by the way are refused by the kernel alone.
   */
  readonly recorded?: true;
  /** The supervisor is told of the call and lets it go on; without a listener it is no rule at all. */
  readonly watched?: true;
}

/** CLONE_NEWTIME 0x80, NEWNS 0x20000, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET; clone(2), unshare(2). */
const namespaceFlags = [0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000];
/** For clone the low byte is the exit signal, so that CLONE_NEWTIME can't be meant there. */
const cloneFlags = namespaceFlags.filter((flag) => flag !== 0x80);

const CLONE_FILES = 0x400;
const CLONE_THREAD = 0x10000;
const CLOSE_RANGE_UNSHARE = 2;
const PR_SET_DUMPABLE = 4;
const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_FILTER_FLAG_NEW_LISTENER = 8;

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const AF_PACKET = 17;
const AF_ALG = 38;
const AF_VSOCK = 40;
const NETLINK_ROUTE = 0;
const NETLINK_SOCK_DIAG = 4;
const SOCK_RAW = 3;
const SOCK_TYPE_MASK = 0xf;
const allBits = 0xffffffff;

const flagSet = (argument: number, flag: number): ArgumentTest => ({ argument, mask: flag, equals: flag });
const is = (argument: number, equals: number, mask = allBits): ArgumentTest => ({ argument, mask, equals });
const isNot = (argument: number, equals: number, mask = allBits): ArgumentTest => ({
  argument,
  mask,
  equals,
  negate: true,
});

const simple = (errno: Errno, table: Record<string, readonly [x64: number | undefined, arm64: number | undefined]>) =>
  Object.entries(table).map(([name, [x64, arm64]]): SeccompRule => {
    return { name, errno, numbers: { ...(x64 !== undefined && { x64 }), ...(arm64 !== undefined && { arm64 }) } };
  });

/** The same rules, on record. */
const recorded = (rules: readonly SeccompRule[]) => rules.map((rule): SeccompRule => ({ ...rule, recorded: true }));

const socket: SyscallNumbers = { x64: 41, arm64: 198 };
const socketpair: SyscallNumbers = { x64: 53, arm64: 199 };
const families = [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK];
/** Frames of the network itself, the kernel's ciphers (a door to holes in it), and the machine that this one runs on. */
const recordedFamilies = [AF_PACKET, AF_ALG, AF_VSOCK];

export const seccompRules: readonly SeccompRule[] = [
  // Namespaces. clone3 hides its flags behind a pointer, which a filter can't follow; libc falls back to clone.
  ...namespaceFlags.map((flag): SeccompRule => {
    const numbers = { x64: 272, arm64: 97 };
    return { name: "unshare", numbers, errno: "EPERM", when: [flagSet(0, flag)], recorded: true };
  }),
  ...cloneFlags.map((flag): SeccompRule => {
    const numbers = { x64: 56, arm64: 220 };
    return { name: "clone", numbers, errno: "EPERM", when: [flagSet(0, flag)], recorded: true };
  }),
  ...simple("ENOSYS", { clone3: [435, 435] }),

  // A thread with descriptors of its own, which no look at its process would show: a connection could hide there.
  {
    name: "clone",
    numbers: { x64: 56, arm64: 220 },
    errno: "EPERM",
    when: [flagSet(0, CLONE_THREAD), is(0, 0, CLONE_FILES)],
  },
  { name: "unshare", numbers: { x64: 272, arm64: 97 }, errno: "EPERM", when: [flagSet(0, CLONE_FILES)] },
  { name: "close_range", numbers: { x64: 436, arm64: 436 }, errno: "EINVAL", when: [flagSet(2, CLOSE_RANGE_UNSHARE)] },
  ...recorded(simple("EPERM", { setns: [308, 268] })),

  // Mounts, by the old and the new interface, and files by what is below all mounts.
  ...recorded(
    simple("EPERM", {
      mount: [165, 40],
      umount2: [166, 39],
      pivot_root: [155, 41],
      chroot: [161, 51],
      open_tree: [428, 428],
      move_mount: [429, 429],
      fsopen: [430, 430],
      fsconfig: [431, 431],
      fsmount: [432, 432],
      fspick: [433, 433],
      mount_setattr: [442, 442],
      open_tree_attr: [467, 467],
      open_by_handle_at: [304, 265],
    }),
  ),
  ...simple("EPERM", {
    quotactl: [179, 60],
    quotactl_fd: [443, 443],
    swapon: [167, 224],
    swapoff: [168, 225],
    fanotify_init: [300, 262],
    name_to_handle_at: [303, 264],
  }),

  // Other processes' memory, descriptors and state.
  ...recorded(
    simple("EPERM", {
      ptrace: [101, 117],
      process_vm_readv: [310, 270],
      process_vm_writev: [311, 271],
      pidfd_getfd: [438, 438],
    }),
  ),
  ...simple("EPERM", { process_madvise: [440, 440], kcmp: [312, 272] }),

  // Kernel facilities with a long history of holes, and no use in a sandbox.
  ...recorded(
    simple("EPERM", {
      bpf: [321, 280],
      userfaultfd: [323, 282],
      init_module: [175, 105],
      finit_module: [313, 273],
      delete_module: [176, 106],
      kexec_load: [246, 104],
      kexec_file_load: [320, 294],
      reboot: [169, 142],
      iopl: [172, undefined],
      ioperm: [173, undefined],
    }),
  ),
  ...recorded(simple("EACCES", { perf_event_open: [298, 241] })),
  ...recorded(simple("ENOSYS", { add_key: [248, 217], request_key: [249, 218], keyctl: [250, 219] })),
  ...simple("EPERM", {
    acct: [163, 89],
    syslog: [103, 116],
    settimeofday: [164, 170],
    clock_settime: [227, 112],
    clock_adjtime: [305, 266],
    vhangup: [153, 58],
    lookup_dcookie: [212, 18],
    sethostname: [170, 161],
    setdomainname: [171, 162],
  }),
  ...simple("ENOSYS", {
    io_uring_setup: [425, 425],
    io_uring_enter: [426, 426],
    io_uring_register: [427, 427],
    uselib: [134, undefined],
    ustat: [136, undefined],
    sysfs: [139, undefined],
    _sysctl: [156, undefined],
    nfsservctl: [180, 42],
    modify_ldt: [154, undefined],
  }),

  // Sockets: Unix, IP without raw access, and netlink's routing family, which resolvers ask for the machine's addresses.
  ...recordedFamilies.map((family): SeccompRule => {
    return { name: "socket", numbers: socket, errno: "EAFNOSUPPORT", when: [is(0, family)], recorded: true };
  }),
  {
    name: "socket",
    numbers: socket,
    errno: "EAFNOSUPPORT",
    when: [...families, ...recordedFamilies].map((family) => isNot(0, family)),
  },
  {
    name: "socket",
    numbers: socket,
    errno: "EAFNOSUPPORT",
    // The second is init's to open, once; `lateSeccompRules` close it.
    when: [is(0, AF_NETLINK), isNot(2, NETLINK_ROUTE), isNot(2, NETLINK_SOCK_DIAG)],
  },
  ...[AF_INET, AF_INET6].map((family): SeccompRule => {
    const when = [is(0, family), is(1, SOCK_RAW, SOCK_TYPE_MASK)];
    return { name: "socket", numbers: socket, errno: "EPERM", when, recorded: true };
  }),
  { name: "socketpair", numbers: socketpair, errno: "EAFNOSUPPORT", when: [isNot(0, AF_UNIX)] },

  // Pushing characters into another session's terminal: TIOCSTI, TIOCLINUX; ioctl_tty(2).
  ...[0x5412, 0x541c].map((request): SeccompRule => {
    return { name: "ioctl", numbers: { x64: 16, arm64: 29 }, errno: "EPERM", when: [is(1, request)], recorded: true };
  }),
  // Execution domains other than Linux's own weaken address-space randomisation or emulate old bugs; personality(2).
  {
    name: "personality",
    numbers: { x64: 135, arm64: 92 },
    errno: "EPERM",
    when: [isNot(0, 0), isNot(0, allBits), isNot(0, 0x20000), isNot(0, 0x0008), isNot(0, 0x20008)],
  },
];

const recordedSeccompRules = seccompRules.filter((rule) => rule.recorded);

/**
 * What the first process is started with. The recorded rules are not among them, since the kernel prefers an errno to
 * asking: they come with `lateSeccompRules`, until when nothing runs inside but bubblewrap and init.
 */
export const earlySeccompRules = seccompRules.filter((rule) => !rule.recorded);

const everyone = 0xffffffff;
/** The first of the sandbox's PID namespace: bubblewrap's, or in a container init itself. */
const reaperPid = 1;
const kill: SyscallNumbers = { x64: 62, arm64: 129 };
const pidfdOpen: SyscallNumbers = { x64: 434, arm64: 434 };
/** The process is the first argument of each. */
const signallingCalls: readonly (SyscallNumbers & { readonly name: string })[] = [
  { name: "kill", ...kill },
  { name: "tkill", x64: 200, arm64: 130 },
  { name: "tgkill", x64: 234, arm64: 131 },
  { name: "rt_sigqueueinfo", x64: 129, arm64: 138 },
  { name: "rt_tgsigqueueinfo", x64: 297, arm64: 240 },
];

/** No signal reaches these processes. To ask whether they are there, as a child does of its parent, is no attempt. */
const signalRules = (pids: ReadonlySet<number>): readonly SeccompRule[] =>
  [...pids].flatMap((pid): SeccompRule[] => [
    { name: "kill", numbers: kill, errno: "EPERM", when: [is(0, pid), is(1, 0)] },
    { name: "pidfd_open", numbers: pidfdOpen, errno: "EPERM", when: [is(0, pid)] },
    ...signallingCalls.map(({ name, ...numbers }): SeccompRule => {
      return { name, numbers, errno: "EPERM", when: [is(0, pid)], recorded: true };
    }),
  ]);

/**
 * What init puts on itself before it starts a program. `guardPids` are the numbers, inside the sandbox, of those that no
 * program may signal: init's own, and the supervisor's where it shares the namespace.
 */
export function lateSeccompRules(guardPids: readonly number[]): readonly SeccompRule[] {
  return [
    ...recordedSeccompRules,
    { name: "socket", numbers: socket, errno: "EAFNOSUPPORT", when: [is(0, AF_NETLINK), is(2, NETLINK_SOCK_DIAG)] },
    // Hides a process's descriptors from the supervisor. Programs with secrets (ssh-agent, browsers) ask for it against
    // their neighbours, from whom a sandbox's processes are kept anyway: no ptrace, no process_vm_readv.
    {
      name: "prctl",
      numbers: { x64: 157, arm64: 167 },
      errno: "none",
      when: [is(0, PR_SET_DUMPABLE), is(1, 0)],
    },
    // Of several filters that ask, the kernel asks the newest one's listener, which may let the call go on. It allows one
    // listener only, and says EBUSY; but once the supervisor has gone there is none, until the sandbox has ended too.
    {
      name: "seccomp",
      numbers: { x64: 317, arm64: 277 },
      errno: "EBUSY",
      when: [is(0, SECCOMP_SET_MODE_FILTER), flagSet(1, SECCOMP_FILTER_FLAG_NEW_LISTENER)],
    },
    // Init has the agent's uid, and the sandbox ends with it. `pkill node` or `kill -9 -1` must not end an agent's own
    // session. Against accidents only: an agent that finds another way has stopped itself, and nothing else.
    ...signalRules(new Set([reaperPid, ...guardPids, everyone])),
  ];
}
