/**
 * The machine's folders that a sandbox sees besides what its policy names. An ordinary user's supervisor can mount them by
 * itself. One of a gateway that is root has a uid to which nothing there belongs: for it they are mounted before it starts.
 */
import { chmod, chown, mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { SandboxFolder } from "../../../supervisor/launch-spec.ts";
import type { FolderLayer, FolderRequest, Placement } from "../driver.ts";
import type { FolderMount } from "./mount-folders/folder-mount.ts";
import { viewFoldersDirectory } from "./private-view.ts";

/** Where a folder's layer is among those of its sandbox. */
export function layerOf(layers: string, target: string): FolderLayer {
  const directory = layerDirectory(layers, target);
  return { upper: join(directory, "upper"), record: join(directory, "record.db") };
}

/** Makes the layers that are missing. An upper layer's root is what the folder itself looks like in the sandbox. */
export async function makeLayers(
  folders: readonly FolderRequest[],
  layers: string,
  { hostUid }: Placement,
): Promise<void> {
  for (const { host, target, access } of folders) {
    if (access !== "copy-on-write") continue;
    const { upper } = layerOf(layers, target);
    await mkdir(join(layerDirectory(layers, target), "work"), { recursive: true, mode: 0o700 });
    if ((await mkdir(upper, { recursive: true })) === undefined) continue;
    const { mode } = await stat(host);
    await chmod(upper, mode & 0o777);
    if (hostUid !== undefined) await chown(upper, hostUid, hostUid);
  }
}

/** For a supervisor that sees the machine as the gateway does. */
export function ownFolders(folders: readonly FolderRequest[], layers: string): SandboxFolder[] {
  return folders.map(({ host, target, access }) => {
    const layer = access === "copy-on-write" && { layer: layerDirectory(layers, target) };
    return { source: host, target, writable: access !== "read-only", ...layer };
  });
}

/** What is mounted in a private view, overlays too. */
export function viewMounts(folders: readonly FolderRequest[], layers: string, hostUid: number): FolderMount[] {
  return folders.map(({ host, target, access }, index) => {
    const layer = access === "copy-on-write" && { layer: layerDirectory(layers, target) };
    return { source: host, target: viewPath(index), readOnly: access === "read-only", hostUid, ...layer };
  });
}

/** The same, for the supervisor in that view. */
export function viewedFolders(folders: readonly FolderRequest[]): SandboxFolder[] {
  return folders.map(({ target, access }, index) => {
    return { source: viewPath(index), target, writable: access !== "read-only" };
  });
}

const viewPath = (index: number): string => join(viewFoldersDirectory, String(index));

/** One step for a whole path. */
function layerDirectory(layers: string, target: string): string {
  return join(layers, target.slice(1).replaceAll("%", "%25").replaceAll("/", "%2F"));
}
