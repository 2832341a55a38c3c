/**
 * System calls that change what is in the file system, by the arguments that say what and where. A filter can see that a
 * file is opened to be written, but not which: that stands behind a pointer.
 */
import type { Architecture } from "./seccomp.ts";
import type { SeccompRule } from "./seccomp-rules.ts";

/** A path among a call's arguments, by number. */
export interface PathArgument {
  /** Of the directory's descriptor that the path is relative to; absent: the working directory. */
  readonly directory?: number;
  readonly path: number;
  /**
   * `open`: made or changed, as the flags say. `change`: has to be there. `make`: must not be there. `replace`: may be.
   */
  readonly use: "open" | "change" | "make" | "replace";
  /** Whether a link at the end of the path is followed. */
  readonly last: "follow" | "keep";
}

/** What the call does to the file, in the words of OCSF's File System Activity. */
export type FileChange = "create" | "update" | "delete" | "rename";

export interface ChangingCall {
  readonly name: string;
  readonly numbers: SeccompRule["numbers"];
  readonly change: FileChange;
  readonly paths: readonly PathArgument[];
  /** The argument with the flags of open(2). */
  readonly flags?: number;
  /** The argument that points to struct open_how, which begins with the flags. */
  readonly how?: number;
}

export const openFlags = { WRONLY: 0o1, RDWR: 0o2, CREAT: 0o100, EXCL: 0o200, TRUNC: 0o1000 } as const;
/** Any of these makes an open more than a look. */
const changes = openFlags.WRONLY | openFlags.RDWR | openFlags.CREAT | openFlags.TRUNC;

const at = (use: PathArgument["use"], directory: number, path: number, last: PathArgument["last"] = "keep") => ({
  directory,
  path,
  use,
  last,
});
const here = (use: PathArgument["use"], path: number, last: PathArgument["last"] = "keep") => ({ path, use, last });

export const changingCalls: readonly ChangingCall[] = [
  { name: "open", numbers: { x64: 2 }, change: "update", paths: [here("open", 0, "follow")], flags: 1 },
  { name: "creat", numbers: { x64: 85 }, change: "update", paths: [here("open", 0, "follow")] },
  { name: "openat", numbers: { x64: 257, arm64: 56 }, change: "update", paths: [at("open", 0, 1, "follow")], flags: 2 },
  { name: "openat2", numbers: { x64: 437, arm64: 437 }, change: "update", paths: [at("open", 0, 1, "follow")], how: 2 },
  { name: "truncate", numbers: { x64: 76, arm64: 45 }, change: "update", paths: [here("change", 0, "follow")] },
  { name: "mkdir", numbers: { x64: 83 }, change: "create", paths: [here("make", 0)] },
  { name: "mkdirat", numbers: { x64: 258, arm64: 34 }, change: "create", paths: [at("make", 0, 1)] },
  { name: "mknod", numbers: { x64: 133 }, change: "create", paths: [here("make", 0)] },
  { name: "mknodat", numbers: { x64: 259, arm64: 33 }, change: "create", paths: [at("make", 0, 1)] },
  { name: "symlink", numbers: { x64: 88 }, change: "create", paths: [here("make", 1)] },
  { name: "symlinkat", numbers: { x64: 266, arm64: 36 }, change: "create", paths: [at("make", 1, 2)] },
  { name: "link", numbers: { x64: 86 }, change: "create", paths: [here("make", 1)] },
  { name: "linkat", numbers: { x64: 265, arm64: 37 }, change: "create", paths: [at("make", 2, 3)] },
  { name: "unlink", numbers: { x64: 87 }, change: "delete", paths: [here("change", 0)] },
  { name: "unlinkat", numbers: { x64: 263, arm64: 35 }, change: "delete", paths: [at("change", 0, 1)] },
  { name: "rmdir", numbers: { x64: 84 }, change: "delete", paths: [here("change", 0)] },
  { name: "rename", numbers: { x64: 82 }, change: "rename", paths: [here("change", 0), here("replace", 1)] },
  {
    name: "renameat",
    numbers: { x64: 264, arm64: 38 },
    change: "rename",
    paths: [at("change", 0, 1), at("replace", 2, 3)],
  },
  {
    name: "renameat2",
    numbers: { x64: 316, arm64: 276 },
    change: "rename",
    paths: [at("change", 0, 1), at("replace", 2, 3)],
  },
];

/** Rules for a filter whose listener is told of these calls, and lets them go on. */
export const changingCallRules: readonly SeccompRule[] = changingCalls.map(({ name, numbers, flags }) => ({
  name,
  numbers,
  errno: "none",
  watched: true,
  ...(flags !== undefined && { when: [{ argument: flags, mask: changes, equals: 0, negate: true }] }),
}));

const byNumber = {
  x64: new Map(changingCalls.map((call) => [call.numbers.x64, call])),
  arm64: new Map(changingCalls.map((call) => [call.numbers.arm64, call])),
};

/** The call with this number, if it is one of them. */
export function changingCall(number: number, architecture: Architecture): ChangingCall | undefined {
  return byNumber[architecture].get(number);
}
