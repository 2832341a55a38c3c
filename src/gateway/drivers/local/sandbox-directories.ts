import { chmod, chown, lstat, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { SandboxDirectories } from "../../../supervisor/launch-spec.ts";
import type { Placement } from "../driver.ts";

/** Where a state directory keeps its sandboxes. */
export function sandboxesDirectory(stateDirectory: string): string {
  return join(stateDirectory, "sandboxes");
}

/** The parts of a sandbox's directory. */
export function directoriesIn(sandboxDirectory: string): SandboxDirectories {
  return {
    home: join(sandboxDirectory, "home"),
    logs: join(sandboxDirectory, "logs"),
    state: join(sandboxDirectory, "state"),
    scratch: join(sandboxDirectory, "scratch"),
  };
}

/** Makes a sandbox's directories, for its owner alone; those that exist are left as they are. */
export async function makeDirectories(sandboxDirectory: string, { hostUid }: Placement): Promise<void> {
  for (const path of [sandboxDirectory, ...Object.values(directoriesIn(sandboxDirectory))]) {
    await mkdir(path, { recursive: true, mode: 0o700 });
    if (hostUid !== undefined) await chown(path, hostUid, hostUid);
  }
}

/** Removes a directory with all that is in it, also where a program inside took its own rights away. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EACCES" && code !== "EPERM") throw error;
    await makeSearchable(path);
    // What of the first attempt was still under way may have emptied a directory meanwhile.
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Gives the owner all rights on every directory of the tree. Never follows a link: that could lead anywhere. */
async function makeSearchable(path: string): Promise<void> {
  try {
    if (!(await lstat(path)).isDirectory()) return;
    await chmod(path, 0o700);
    const entries = await readdir(path, { withFileTypes: true });
    for (const entry of entries) if (entry.isDirectory()) await makeSearchable(join(path, entry.name));
  } catch (error) {
    // The removal that failed goes on with the rest for a moment.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
