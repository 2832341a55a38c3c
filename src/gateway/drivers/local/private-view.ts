/**
 * Starts a supervisor as a uid of its own in a mount namespace of its own, in which the parts it needs are bound to fixed
 * places below /run/openshell/view. The mounts are seen by that supervisor alone and end with it.
 */
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { SandboxDirectories } from "../../../supervisor/launch-spec.ts";
import type { ViewItem } from "./package-view.ts";
import { directoriesIn } from "./sandbox-directories.ts";

/** Empty directories that exist to be covered by mounts. */
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
export function makeViewDirectories(): void {
  for (const path of ["/run/openshell", VIEW, `${VIEW}/sandbox`, `${VIEW}/gateway`, `${VIEW}/package`]) {
    mkdirSync(path, { recursive: true });
    // Searchable for every sandbox's uid whatever the umask; there is nothing in them outside the namespaces.
    chmodSync(path, 0o711);
  }
}

/**
 * All that comes from outside is an argument, never part of the script. The package is shown read-only: it is the
 * program of every other supervisor too. No no_new_privs: bubblewrap may be set-uid on machines that forbid user
 * namespaces, and init sets it for the agent.
 */
const SCRIPT = `set -e
# The gateway's own umask would keep the sandbox's uid out of the view.
umask 022
view=$1 uid=$2 sandbox=$3 gateway=$4 items=$5
shift 5
mount --bind "$sandbox" "$view/sandbox"
mount --bind "$gateway" "$view/gateway"
mount -t tmpfs -o mode=0755,size=64k,nosuid,nodev openshell "$view/package"
while [ "$items" -gt 0 ]; do
  target=$view/package/$2
  if [ "$3" = file ]; then
    mkdir -p "\${target%/*}"
    : > "$target"
  else
    mkdir -p "$target"
  fi
  mount -o bind,ro "$1" "$target"
  items=$((items - 1))
  shift 3
done
mount -o remount,ro "$view/package"
cd "$view/sandbox"
exec setpriv --reuid "$uid" --regid "$uid" --clear-groups --inh-caps=-all --bounding-set=-all -- "$@"`;

/** The command that becomes the supervisor: every link of the chain replaces itself by the next, so the pid stays. */
export function privateViewCommand(view: PrivateView): { readonly file: string; readonly args: readonly string[] } {
  const [program = "", ...args] = view.command.map((part) => join(VIEW, "package", part));
  const items = view.items.flatMap(({ source, target, isFile }) => [source, target, isFile ? "file" : "directory"]);
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
