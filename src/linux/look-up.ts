/**
 * Looking a path up as a process in another mount namespace would, without opening what is there; openat2(2). Links lead
 * where they lead inside that root, never out of it.
 */
import { closeSync, constants, openSync, readlinkSync } from "node:fs";
import koffi from "koffi";
import { libc } from "./libc.ts";

const openat2 = libc.func("syscall", "long", ["long", "int", "str", "const void *", "size_t"]);

/** System call number; the same on every architecture. */
const OPENAT2 = 437;
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
const RESOLVE_NO_MAGICLINKS = 2;
const RESOLVE_NO_SYMLINKS = 4;
const RESOLVE_IN_ROOT = 16;

/** What is at a path: where it really is, and whether there is anything. */
export interface Found {
  /** Absolute, without links, dots and doubled slashes. */
  readonly path: string;
  readonly exists: boolean;
}

export class RootedLookUp implements Disposable {
  readonly #root: number;
  /** Its path as links in /proc tell it: `/` for another mount namespace's. */
  readonly #prefix: string;
  /** struct open_how: flags, mode, resolve. */
  readonly #how = Buffer.alloc(24);

  /** @param root a directory, such as `/proc/PID/root`. @throws what open(2) says */
  constructor(root: string) {
    this.#root = openSync(root, O_PATH | constants.O_DIRECTORY);
    this.#prefix = readlinkSync(`/proc/self/fd/${this.#root}`);
  }

  [Symbol.dispose](): void {
    closeSync(this.#root);
  }

  /**
   * @param path absolute
   * @param last whether a link at the path's end is followed, as by open(2), or meant itself, as by unlink(2)
   * @returns undefined for what can't be looked up from here
   */
  find(path: string, last: "follow" | "keep"): Found | undefined {
    const flags = last === "keep" ? constants.O_NOFOLLOW : 0;
    // Nearly no path has a link in it; then it is where it says.
    const direct = this.#open(path, flags, RESOLVE_NO_SYMLINKS);
    if (direct !== "ELOOP")
      return typeof direct === "number" ? taken(direct, () => plain(path)) : missing(direct, path);
    const real = this.#open(path, flags, RESOLVE_NO_MAGICLINKS);
    if (typeof real === "number") return taken(real, () => this.#pathOf(real));
    return real === "ENOENT" ? this.#findMissing(path) : undefined;
  }

  /** Whether the directory of what is not there exists. */
  hasParent(path: string): boolean {
    const parent = this.#open(parentOf(path), constants.O_DIRECTORY, RESOLVE_NO_MAGICLINKS);
    if (typeof parent !== "number") return false;
    closeSync(parent);
    return true;
  }

  #findMissing(path: string): Found | undefined {
    const parent = this.#open(parentOf(path), constants.O_DIRECTORY, RESOLVE_NO_MAGICLINKS);
    // A link to nothing at the end: where it leads is not known here.
    if (typeof parent !== "number" || this.#isLink(path)) return undefined;
    const found = taken(parent, () => this.#pathOf(parent));
    return { path: plain(`${found.path}/${nameOf(path)}`), exists: false };
  }

  #pathOf(fd: number): string {
    const path = readlinkSync(`/proc/self/fd/${fd}`);
    return this.#prefix === "/" ? path : path.slice(this.#prefix.length) || "/";
  }

  #isLink(path: string): boolean {
    const link = this.#open(path, constants.O_NOFOLLOW, RESOLVE_NO_MAGICLINKS);
    if (typeof link !== "number") return false;
    closeSync(link);
    return true;
  }

  /** A descriptor, or the error's name. */
  #open(path: string, flags: number, resolve: number): number | string {
    this.#how.writeBigUInt64LE(BigInt(O_PATH | O_CLOEXEC | flags), 0);
    this.#how.writeBigUInt64LE(BigInt(RESOLVE_IN_ROOT | resolve), 16);
    const fd = Number(openat2(OPENAT2, this.#root, path, this.#how, this.#how.length));
    return fd === -1 ? (names.get(koffi.errno()) ?? "EIO") : fd;
  }
}

const names = new Map([
  [koffi.os.errno["ENOENT"], "ENOENT"],
  [koffi.os.errno["ELOOP"], "ELOOP"],
]);

function taken(fd: number, pathOf: () => string): Found {
  try {
    return { path: pathOf(), exists: true };
  } finally {
    closeSync(fd);
  }
}

function missing(error: string, path: string): Found | undefined {
  return error === "ENOENT" ? { path: plain(path), exists: false } : undefined;
}

/** Without dots and doubled slashes; right only where there are no links. */
function plain(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return `/${segments.join("/")}`;
}

function parentOf(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  return trimmed.slice(0, trimmed.lastIndexOf("/") + 1) || "/";
}

function nameOf(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  return trimmed.slice(trimmed.lastIndexOf("/") + 1);
}
