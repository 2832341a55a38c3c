import { chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { SandboxDirectories } from "../../../supervisor/launch-spec.ts";
import type { Placement } from "../driver.ts";

/** Where a state directory keeps its sandboxes. */
export function sandboxesDirectory(stateDirectory: string): string {
  return join(stateDirectory, "sandboxes");
}

/**
 * Where the layers of a sandbox's folders are. Apart from the sandbox's directory, whose uid could put anything in their
 * place, while the gateway, which may be root, mounts and reads them.
 */
export function layersDirectory(stateDirectory: string, sandboxId: string): string {
  return join(stateDirectory, "layers", sandboxId);
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
