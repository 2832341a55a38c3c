/**
 * A folder that is open, and everything in it by single names: open(2) with O_NOFOLLOW, step by step. Whoever can change
 * the tree meanwhile, a sandbox above all, can make it look otherwise, but can't lead out of it: what a name means is
 * asked of the open folder and never of a path.
 *
 * Every open folder is a descriptor, so how deep is gone must be bounded: MAX_DEPTH.
 */
import { type BigIntStats, constants } from "node:fs";
import {
  type FileHandle,
  lchown,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  rename,
  rmdir,
  symlink,
  unlink,
} from "node:fs/promises";

/** Folders within one another. A program's own tree has a few dozen at most; each costs two descriptors while it is read. */
export const MAX_DEPTH = 128;

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** A pipe in a file's place must not be waited for. */
const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export class Folder implements AsyncDisposable {
  private readonly handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.handle = handle;
  }

  /** The way to the folder itself is trusted. Rejects if it is none. */
  static async at(path: string): Promise<Folder> {
    return new Folder(await open(path, FOLDER));
  }

  get descriptor(): number {
    return this.handle.fd;
  }

  /** The names in it, sorted by their code units, so that what is read twice comes in the same order. */
  async names(): Promise<string[]> {
    return (await readdir(this.path())).sort();
  }

  /** Undefined if there is no such name. */
  async status(name: string): Promise<BigIntStats | undefined> {
    return await orUndefined(lstat(this.path(name), { bigint: true }));
  }

  /** Undefined if there is none, or something else. */
  async folder(name: string): Promise<Folder | undefined> {
    const handle = await orUndefined(open(this.path(name), FOLDER));
    return handle && new Folder(handle);
  }

  /** Rejects if it is no regular file, also if it has become something else since it was looked at. */
  async file(name: string): Promise<FileHandle> {
    const handle = await open(this.path(name), FILE);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
    throw Object.assign(new Error(`${name} is no regular file`), { code: "EINVAL", syscall: "open" });
  }

  async linkTarget(name: string): Promise<string> {
    return await readlink(this.path(name));
  }

  /** Of a name that nothing has. */
  async newFile(name: string): Promise<FileHandle> {
    return await open(this.path(name), NEW_FILE, 0o600);
  }

  async newLink(name: string, target: string): Promise<void> {
    await symlink(target, this.path(name));
  }

  async newFolder(name: string): Promise<void> {
    await mkdir(this.path(name), 0o777);
  }

  async setMode(name: string, mode: number): Promise<void> {
    await using folder = await this.folder(name);
    if (folder) await folder.handle.chmod(mode);
  }

  async setOwner(name: string, uid: number, gid: number): Promise<void> {
    await lchown(this.path(name), uid, gid);
  }

  /** A second name for a file; rejects with EEXIST if something has it. */
  async link(from: string, to: string): Promise<void> {
    await link(this.path(from), this.path(to));
  }

  async rename(from: string, to: string): Promise<void> {
    await rename(this.path(from), this.path(to));
  }

  /** To a path that is trusted. */
  async moveOut(name: string, path: string): Promise<void> {
    await rename(this.path(name), path);
  }

  async remove(name: string): Promise<void> {
    await unlink(this.path(name));
  }

  /** Only if nothing is in it. */
  async removeFolder(name: string): Promise<void> {
    await rmdir(this.path(name));
  }

  /** The folder's own status. */
  async ownStatus(): Promise<BigIntStats> {
    return await this.handle.stat({ bigint: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close();
  }

  /** proc_pid_fd(5): the link leads to the open folder itself, wherever it is by now. */
  private path(name?: string): string {
    const own = `/proc/self/fd/${this.handle.fd}`;
    return name === undefined ? own : `${own}/${name}`;
  }
}

/** What is not there, or is not what was asked for, is nothing; everything else is an error. */
async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") return undefined;
    throw error;
  }
}
