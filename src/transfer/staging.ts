/**
 * The place where files are put until all of them have arrived: a folder inside the one they are for, so that they get to
 * their names by rename(2). A copy that breaks off has changed nothing, and each file is either the old or the new.
 *
 * A copy that may be gone on with has a key, and its folder that in its name; what it has left there is the stock of the
 * next copy with the same key. Whoever comes last has it: the one before may be waiting for a client that is no more.
 */
import { randomBytes } from "node:crypto";
import { chmod, lstat, mkdir, opendir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Stock } from "./stock.ts";
import { errnoOf, fileFailure, TransferFailure } from "./transfer-failure.ts";

const PREFIX = ".openshell-copy-";

/** Nobody comes back after so long to go on with a copy; the next one to the same folder removes what it left. */
const STALE_MS = 7 * 86_400_000;

export interface Staging {
  /** Where to put them, under the names they will have. */
  readonly path: string;
  /** What there is of an earlier copy. */
  readonly stock: Stock;
  /** Moves everything to its place. Throws TransferFailure, and then has moved nothing if something was in the way. */
  commit(): Promise<void>;
  /** Removes what has not been moved. */
  discard(): Promise<void>;
}

/** Makes the folder, with those around it, if it is not there. `key` is a copy's that may be gone on with. Throws TransferFailure. */
export async function openStaging(folder: string, key?: string): Promise<Staging> {
  try {
    await mkdir(folder, { recursive: true });
    const whole = join(folder, `${PREFIX}${key === undefined ? "" : `${key}-`}${randomBytes(6).toString("hex")}`);
    const left = await leftBehind(folder, key);
    if (left === undefined || !(await takeOver(left, whole))) await mkdir(whole, { mode: 0o700 });
    const [path, before] = [join(whole, "files"), join(whole, "before")];
    await keepAsStock(path, before);
    await mkdir(path, { mode: 0o700 });
    return {
      path,
      stock: new Stock(before),
      commit: async () => {
        await requireWay(path, folder);
        await moveInto(path, folder);
      },
      discard: () => removeTree(whole),
    };
  } catch (error) {
    throw fileFailure(error, folder);
  }
}

/** The folder that a copy with this key has left, if one has; removes those that nobody goes on with any more. */
async function leftBehind(folder: string, key: string | undefined): Promise<string | undefined> {
  let left: string | undefined;
  for await (const { name } of await opendir(folder)) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(folder, name);
    const stats = await lstat(path).catch(() => undefined);
    if (!stats?.isDirectory()) continue;
    if (key !== undefined && name.startsWith(`${PREFIX}${key}-`)) left = path;
    else if (Date.now() - stats.mtimeMs > STALE_MS) await removeTree(path);
  }
  return left;
}

async function takeOver(left: string, whole: string): Promise<boolean> {
  try {
    await rename(left, whole);
    return true;
  } catch (error) {
    // Another one was quicker, or had just come to its end.
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** Adds what the last copy had got to what was left of those before it. */
async function keepAsStock(files: string, before: string): Promise<void> {
  if ((await kindOf(files)) === undefined) return;
  try {
    await mkdir(before, { recursive: true, mode: 0o700 });
    await requireWay(files, before);
    await moveInto(files, before);
  } catch {
    // What was a file is a folder now: the newer counts, and what was left of the older is sent again.
    await removeTree(before);
    await rename(files, before);
    return;
  }
  await removeTree(files);
}

/** Looks first, so that the usual obstacle does not leave half of the files moved. */
async function requireWay(from: string, to: string): Promise<void> {
  for await (const child of await opendir(from)) {
    const target = join(to, child.name);
    const there = await kindOf(target);
    if (there === undefined) continue;
    // A link in a folder's place is not followed: it leads to where nobody asked to copy.
    if (child.isDirectory() !== (there === "folder")) {
      const arrived = child.isDirectory() ? "folder" : "file";
      throw new TransferFailure(`${target}: a ${there} is in the way of a ${arrived} of that name`, "remove it first");
    }
    if (!child.isDirectory()) continue;
    const folder = join(from, child.name);
    // The folder that is there keeps its mode, and that of this one may be in the way.
    await chmod(folder, 0o700);
    await requireWay(folder, target);
  }
}

async function moveInto(from: string, to: string): Promise<void> {
  for await (const child of await opendir(from)) {
    const source = join(from, child.name);
    const target = join(to, child.name);
    try {
      if (!child.isDirectory()) await rename(source, target);
      else if ((await kindOf(target)) === undefined) await moveFolder(source, target);
      else await moveInto(source, target);
    } catch (error) {
      throw fileFailure(error, target);
    }
  }
}

/** A folder that moves has its `..` changed, for which it must be writable; rename(2). */
async function moveFolder(source: string, target: string): Promise<void> {
  const { mode } = await lstat(source);
  if ((mode & 0o200) !== 0) return await rename(source, target);
  await chmod(source, mode | 0o200);
  await rename(source, target);
  await chmod(target, mode);
}

async function kindOf(path: string): Promise<"folder" | "file" | "link" | undefined> {
  try {
    const stats = await lstat(path);
    return stats.isDirectory() ? "folder" : stats.isSymbolicLink() ? "link" : "file";
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw fileFailure(error, path);
  }
}

/** Also with folders in it that must not be written to; nothing, if another copy has taken it over. */
async function removeTree(path: string): Promise<void> {
  if ((await kindOf(path)) === undefined) return;
  await chmod(path, 0o700);
  for await (const child of await opendir(path)) if (child.isDirectory()) await removeTree(join(path, child.name));
  await rm(path, { recursive: true });
}
