/**
 * Reading a procfs fast; proc(5). Node's own calls build a path, an error object and a promise or a string for each step,
 * which is too slow for something that is done a thousand times for one connection. These work relative to an open
 * directory, on buffers that are made once.
 *
 * A process may vanish at any moment, so a failure is a value here: the calls give undefined, and `lastFailure` the
 * errno's name. Not safe for use from several threads, which is no matter: nothing here awaits.
 */
import { checked, lastError, libc } from "./libc.ts";

const openat = libc.func("int openat(int directory, const void *path, int flags, int mode)");
const closeFd = libc.func("int close(int fd)");
const lseek = libc.func("int64_t lseek(int fd, int64_t offset, int whence)");
const pread = libc.func("int64_t pread(int fd, void *data, size_t length, int64_t offset)");
const readlinkat = libc.func("int64_t readlinkat(int directory, const void *path, void *data, size_t length)");
const getdents64 = libc.func("int64_t getdents64(int fd, void *data, size_t length)");

const AT_FDCWD = -100;
const O_RDONLY = 0;
const O_DIRECTORY = 0o200000;
const O_CLOEXEC = 0o2000000;

/** Room for one getdents64 call; a process with 1,000 descriptors takes one call. */
const directoryBufferSize = 32 * 1024;
/** PATH_MAX: the kernel never gives a longer link. */
const linkBufferSize = 4096;
/** struct linux_dirent64: d_ino 8, d_off 8, d_reclen 2, d_type 1, then the name; getdents(2). */
const recordLengthAt = 16;
const nameAt = 19;

const digit0 = 48;
const digit9 = 57;
const closingBracket = 93;
const socketPrefix = Buffer.from("socket:[");

/** A procfs, opened once. */
export class ProcFs {
  /** For what needs Node's own calls: the open directory, so that this stays the same procfs whatever becomes of the path. */
  readonly path: string;
  readonly #root: number;
  readonly #path = Buffer.alloc(256);
  readonly #directory = Buffer.alloc(directoryBufferSize);
  readonly #link = Buffer.alloc(linkBufferSize);
  #failure = "";

  /**
   * @param path where the procfs is mounted, such as `/proc/PID/root/proc`; kept open, so that the mount stays the one
   * meant even if PID ends and its number is used again
   * @throws SystemError
   */
  constructor(path: string) {
    const name = Buffer.from(`${path}\0`);
    this.#root = checked(openat(AT_FDCWD, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0), "openat", path);
    this.path = `/proc/self/fd/${this.#root}`;
  }

  [Symbol.dispose](): void {
    closeFd(this.#root);
  }

  /** Name of the errno of the last call that gave undefined. */
  get lastFailure(): string {
    return this.#failure;
  }

  /** Every process that the procfs shows. */
  processes(): number[] {
    const numbers: number[] = [];
    // The same directory each time; a listing begins where the last one ended unless it is wound back.
    lseek(this.#root, 0, 0);
    this.#eachNumber(this.#root, (record) => numbers.push(this.#number(record)));
    return numbers;
  }

  /** The numbered entries of a directory such as `12/task`, or undefined if it can't be read. */
  numbersIn(path: string): number[] | undefined {
    const numbers: number[] = [];
    const fd = this.open(path, "directory");
    if (fd === undefined) return undefined;
    const complete = this.#eachNumber(fd, (record) => numbers.push(this.#number(record)));
    closeFd(fd);
    return complete ? numbers : undefined;
  }

  /**
   * Inodes of the sockets that a descriptor directory such as `12/fd` shows, or undefined if it can't be read. A
   * descriptor that is closed in between is skipped; one that can't be read fails the whole.
   */
  socketInodes(path: string): number[] | undefined {
    const fd = this.open(path, "directory");
    if (fd === undefined) return undefined;
    const inodes: number[] = [];
    let unreadable = "";
    const complete = this.#eachNumber(fd, (record) => {
      const length = Number(readlinkat(fd, this.#directory.subarray(record + nameAt), this.#link, linkBufferSize));
      if (length >= 0) {
        const inode = this.#socketInode(length);
        if (inode !== undefined) inodes.push(inode);
        return;
      }
      const { code } = lastError("readlinkat");
      if (code !== "ENOENT") unreadable = code;
    });
    closeFd(fd);
    if (unreadable !== "") this.#failure = unreadable;
    return complete && unreadable === "" ? inodes : undefined;
  }

  /** Where a link such as `12/exe` leads. Bytes that are not UTF-8 become U+FFFD, which no policy path holds. */
  readLink(path: string): string | undefined {
    const length = Number(readlinkat(this.#root, this.#cString(path), this.#link, linkBufferSize));
    if (length === -1) return this.#failed("readlinkat");
    return this.#link.toString("utf8", 0, length);
  }

  /** The first 4 KiB of a file such as `12/stat`. */
  readText(path: string): string | undefined {
    const fd = this.open(path, "file");
    if (fd === undefined) return undefined;
    const text = this.readOpen(fd);
    closeFd(fd);
    return text;
  }

  /** The same of a file that `open` opened: reading it again asks the kernel anew. */
  readOpen(fd: number): string | undefined {
    const length = Number(pread(fd, this.#link, linkBufferSize, 0));
    if (length === -1) return this.#failed("pread");
    return this.#link.toString("utf8", 0, length);
  }

  /** A descriptor for an entry, which the caller closes with `closeProcFile`; undefined if it can't be opened. */
  open(path: string, kind: "file" | "directory"): number | undefined {
    const flags = O_RDONLY | O_CLOEXEC | (kind === "directory" ? O_DIRECTORY : 0);
    const fd: number = openat(this.#root, this.#cString(path), flags, 0);
    return fd === -1 ? this.#failed("openat") : fd;
  }

  #failed(syscall: string): undefined {
    this.#failure = lastError(syscall).code;
    return undefined;
  }

  #cString(path: string): Buffer {
    const length = this.#path.write(path, 0, this.#path.length - 1, "latin1");
    this.#path[length] = 0;
    return this.#path;
  }

  /** Calls `visit` with the offset of each record whose name is a number. False if the listing broke off. */
  #eachNumber(fd: number, visit: (record: number) => void): boolean {
    for (;;) {
      // A short answer need not be the last (a signal can cut it short): only an empty one ends the directory.
      const length = Number(getdents64(fd, this.#directory, directoryBufferSize));
      if (length === 0) return true;
      if (length === -1) {
        const { code } = lastError("getdents64");
        if (code === "EINTR") continue;
        this.#failure = code;
        return false;
      }
      for (let record = 0; record < length; record += this.#directory.readUInt16LE(record + recordLengthAt)) {
        const first = this.#directory[record + nameAt] ?? 0;
        if (first >= digit0 && first <= digit9) visit(record);
      }
    }
  }

  /** The number that is the name of a record. */
  #number(record: number): number {
    return this.#digits(this.#directory, record + nameAt, 0);
  }

  /** The inode of `socket:[12345]` in the link buffer; sockets have no other form. */
  #socketInode(length: number): number | undefined {
    const link = this.#link;
    if (link[0] !== socketPrefix[0] || link[length - 1] !== closingBracket) return undefined;
    if (link.compare(socketPrefix, 0, socketPrefix.length, 0, socketPrefix.length) !== 0) return undefined;
    return this.#digits(link, socketPrefix.length, closingBracket);
  }

  #digits(bytes: Buffer, from: number, end: number): number {
    let value = 0;
    for (let at = from; bytes[at] !== end; at++) value = value * 10 + (bytes[at] ?? digit0) - digit0;
    return value;
  }
}

/** Closes what `ProcFs.open` opened. */
export function closeProcFile(fd: number): void {
  closeFd(fd);
}
