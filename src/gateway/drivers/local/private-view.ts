/**
 * Starts a supervisor as a uid of its own in a mount namespace of its own, in which the parts it needs are bound to fixed
 * places below /run/openshell/view. The mounts are seen by that supervisor alone and end with it.
 */
import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import type { SandboxDirectories } from "../../../supervisor/launch-spec.ts";
import type { ViewItem } from "./package-view.ts";
import { directoriesIn } from "./sandbox-directories.ts";

/** Empty directories and files that exist to be covered by mounts. */
const VIEW = "/run/openshell/view";

/** As the supervisor sees them. */
export const viewDirectories: SandboxDirectories = directoriesIn(`${VIEW}/sandbox`);
export const viewGatewayDirectory = `${VIEW}/gateway`;

export interface PrivateView {
  readonly hostUid: number;
  readonly sandboxDirectory: string;
  /** The directory of the gateway's socket. */
  readonly gatewayDirectory: string;
  readonly items: readonly ViewItem[];
  /** Relative to the package's place in the view. */
  readonly command: readonly string[];
}

/** Makes the places to mount at; once for each gateway. */
export function makeViewDirectories(items: readonly ViewItem[]): void {
  const packageDirectory = join(VIEW, "package");
  for (const path of ["/run/openshell", VIEW, `${VIEW}/sandbox`, `${VIEW}/gateway`, packageDirectory]) makeEmpty(path);
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
view=$1 uid=$2 sandbox=$3 gateway=$4 items=$5
shift 5
mount --bind "$sandbox" "$view/sandbox"
mount --bind "$gateway" "$view/gateway"
while [ "$items" -gt 0 ]; do
  mount -o bind,ro "$1" "$view/package/$2"
  items=$((items - 1))
  shift 2
done
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
      ...[VIEW, String(view.hostUid), view.sandboxDirectory, view.gatewayDirectory, String(view.items.length)],
      ...items,
      program,
      ...args,
    ],
  };
}
