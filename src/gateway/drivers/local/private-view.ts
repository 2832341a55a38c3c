/**
 * Starts a supervisor as a uid of its own in a mount namespace of its own, in which the parts it needs are bound to fixed
 * places below /run/openshell/view. The mounts are seen by that supervisor alone and end with it.
 */
import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ViewItem } from "../../../locations/package-view.ts";
import type { SandboxDirectories } from "../../../supervisor/launch-spec.ts";
import type { FolderMount } from "./mount-folders/folder-mount.ts";
import { directoriesIn } from "./sandbox-directories.ts";

/** Empty directories and files that exist to be covered by mounts. */
const VIEW = "/run/openshell/view";

const viewSandboxDirectory = `${VIEW}/sandbox`;
/** As the supervisor sees them. */
export const viewDirectories: SandboxDirectories = directoriesIn(viewSandboxDirectory);
export const viewGatewayDirectory = `${VIEW}/gateway`;
/** Where the machine's folders are mounted: in a file system of the view's own, so that there may be any number. */
export const viewFoldersDirectory = `${VIEW}/folders`;

export interface PrivateView {
  readonly hostUid: number;
  readonly sandboxDirectory: string;
  /** The directory of the gateway's socket. */
  readonly gatewayDirectory: string;
  readonly items: readonly ViewItem[];
  /** Relative to the package's place in the view. */
  readonly command: readonly string[];
  readonly folders: readonly FolderMount[];
}

/** Makes the places to mount at; once for each gateway. */
export function makeViewDirectories(items: readonly ViewItem[]): void {
  const packageDirectory = join(VIEW, "package");
  for (const path of ["/run/openshell", VIEW, packageDirectory]) makeEmpty(path);
  for (const path of [viewSandboxDirectory, viewGatewayDirectory, viewFoldersDirectory]) makeEmpty(path);
  for (const { target, isFile } of items) {
    const folders = (isFile ? dirname(target) : target).split("/");
    for (const depth of folders.keys()) makeEmpty(join(packageDirectory, ...folders.slice(0, depth + 1)));
    if (isFile) closeSync(openSync(join(packageDirectory, target), "a", 0o644));
  }
}

function makeEmpty(path: string): void {
  mkdirSync(path, { recursive: true });
  // Searchable for every sandbox's uid whatever the umask; there is nothing in them outside the namespaces.
  chmodSync(path, 0o711);
}

/**
 * All that comes from outside is an argument, never part of the script. The package is shown read-only: it is the
 * program of every other supervisor too. No no_new_privs: bubblewrap may be set-uid on machines that forbid user
 * namespaces, and init sets it for the agent.
 */
const SCRIPT = `set -e
view=$1 uid=$2 sandbox=$3 gateway=$4 folders=$5 items=$6
shift 6
mount --bind "$sandbox" "$view/sandbox"
mount --bind "$gateway" "$view/gateway"
while [ "$items" -gt 0 ]; do
  mount -o bind,ro "$1" "$view/package/$2"
  items=$((items - 1))
  shift 2
done
if [ -n "$folders" ]; then
  mount -t tmpfs -o mode=0711,nosuid,nodev,noexec openshell "$view/folders"
  "$view/package/bin/node" "$view/package/dist/mount-folders.cjs" "$folders"
fi
cd "$view/sandbox"
exec setpriv --reuid "$uid" --regid "$uid" --clear-groups --inh-caps=-all --bounding-set=-all -- "$@"`;

/** The command that becomes the supervisor: every link of the chain replaces itself by the next, so the pid stays. */
export function privateViewCommand(view: PrivateView): { readonly file: string; readonly args: readonly string[] } {
  const [program = "", ...args] = view.command.map((part) => join(VIEW, "package", part));
  const items = view.items.flatMap(({ source, target }) => [source, target]);
  return {
    file: "unshare",
    args: [
      ...["--mount", "--propagation", "private", "--", "sh", "-c", SCRIPT, "sh"],
      ...[VIEW, String(view.hostUid), view.sandboxDirectory, view.gatewayDirectory],
      ...[view.folders.length > 0 ? JSON.stringify(view.folders) : "", String(view.items.length)],
      ...items,
      program,
      ...args,
    ],
  };
}
