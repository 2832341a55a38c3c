/**
 * The place where files are put until all of them have arrived: a folder inside the one they are for, so that they get to
 * their names by rename(2). A copy that breaks off has changed nothing, and each file is either the old or the new.
 */
import { chmod, lstat, mkdir, mkdtemp, opendir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, fileFailure, TransferFailure } from "./transfer-failure.ts";

const PREFIX = ".openshell-copy-";

export interface Staging {
  /** Where to put them, under the names they will have. */
  readonly path: string;
  /** Moves everything to its place. Throws TransferFailure, and then has moved nothing if something was in the way. */
  commit(): Promise<void>;
  /** Removes what has not been moved. */
  discard(): Promise<void>;
}

/** Makes the folder, with those around it, if it is not there. Throws TransferFailure. */
export async function openStaging(folder: string): Promise<Staging> {
  try {
    await mkdir(folder, { recursive: true });
    const path = await mkdtemp(join(folder, PREFIX));
    return {
      path,
      commit: async () => {
        await requireWay(path, folder);
        await moveInto(path, folder);
      },
      discard: () => removeTree(path),
    };
  } catch (error) {
    throw fileFailure(error, folder);
  }
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

/** Also with folders in it that must not be written to. */
async function removeTree(path: string): Promise<void> {
  await chmod(path, 0o700);
  for await (const child of await opendir(path)) if (child.isDirectory()) await removeTree(join(path, child.name));
  await rm(path, { recursive: true });
}
