/** What a sandbox's files take on disk. */
import { execFile } from "node:child_process";
import { readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { SandboxDirectories, SandboxFolder } from "./launch-spec.ts";
import { temporary } from "./sandbox/blueprint.ts";
import { TOOLS_PATH } from "./sandbox/launch.ts";

/** The unit of st_blocks, whatever the file system's own is; stat(2). */
const BLOCK_BYTES = 512;

/** Where a sandbox's programs can write to disk; folders that are mounted for writing are the user's, and not counted. */
export function writtenPaths(
  { home, scratch, state }: SandboxDirectories,
  folders: readonly SandboxFolder[],
): string[] {
  return [home, temporary(scratch), join(state, "layers"), ...folders.flatMap(({ layer }) => layer ?? [])];
}

/**
 * The bytes of all files below the paths, each file once, and of those that are open and have no name any more.
 * By du(1) as root of a user namespace of its own: that may look into folders which a program has closed to its own user,
 * and is nobody outside of what the sandbox's user owns.
 * @throws Error when they can't be counted
 */
export async function diskUse(paths: readonly string[], initPid: number): Promise<number> {
  const du = ["du", "--summarize", "--one-file-system", "--block-size=1", "--total", "--", ...paths.filter(exists)];
  const words = ["--user", "--map-root-user", "--", ...du];
  const { stdout } = await promisify(execFile)("unshare", words, { env: { PATH: TOOLS_PATH } }).catch(
    // It ends with 1, too, for a file that went away while it looked, and has counted the rest.
    (error: Error & { stdout?: string }) => ({ stdout: error.stdout ?? "" }),
  );
  const total = /^(\d+)\ttotal$/m.exec(stdout)?.[1];
  if (total === undefined) throw new Error("du(1) has not counted the sandbox's files");
  return Number(total) + namelessBytes(initPid);
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Files that a program has open and that were deleted, by which a disk can be filled unseen. */
function namelessBytes(initPid: number): number {
  const found = new Map<string, number>();
  const proc = `/proc/${initPid}/root/proc`;
  for (const pid of list(proc).filter((name) => /^\d+$/.test(name))) {
    for (const descriptor of list(join(proc, pid, "fd"))) {
      const file = look(join(proc, pid, "fd", descriptor));
      if (file?.isFile() && file.nlink === 0) found.set(`${file.dev}:${file.ino}`, file.blocks * BLOCK_BYTES);
    }
  }
  return [...found.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** Nothing of a process that has ended, or is not to be looked into, as init. */
function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
