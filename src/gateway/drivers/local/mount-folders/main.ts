/**
 * Mounts folders of the machine for one sandbox of a gateway that is root. Run as root, once, inside the supervisor's
 * private mount namespace before there is a supervisor; its one argument is a list of FolderMount as JSON.
 *
 * The folder's owner and the sandbox's user change places, so that the sandbox may do there what the folder's owner may.
 * Files of others stay theirs. An overlay is mounted here, and not by the sandbox's own user namespace as for an ordinary
 * user: there the kernel knows no other owners, and could not copy their files up.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, statSync, writeFileSync } from "node:fs";
import { mountIdMapped } from "../../../../linux/idmapped-mount.ts";
import { SystemError } from "../../../../linux/libc.ts";
import { copyOnWriteOptions } from "../../../../linux/overlay-options.ts";
import type { FolderMount } from "./folder-mount.ts";
import { swapped } from "./owner-map.ts";

void main(JSON.parse(process.argv[2] ?? "[]") as readonly FolderMount[]);

async function main(folders: readonly FolderMount[]): Promise<void> {
  try {
    for (const folder of folders) await mountFolder(folder);
  } catch (error) {
    // The last line of the supervisor's log is what the user is told.
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

async function mountFolder(folder: FolderMount): Promise<void> {
  const { source, target, readOnly, layer } = folder;
  makeMountPoint(source, target);
  if (layer === undefined) return await mountMapped(folder, { target, readOnly });
  const lower = `${target}-lower`;
  mkdirSync(lower);
  await mountMapped(folder, { target: lower, readOnly: true });
  execFileSync("mount", ["-t", "overlay", "-o", copyOnWriteOptions(lower, layer), "openshell", target]);
}

function makeMountPoint(source: string, target: string): void {
  if (statSync(source).isDirectory()) mkdirSync(target);
  else writeFileSync(target, "");
}

async function mountMapped(
  { source, hostUid }: FolderMount,
  mount: { readonly target: string; readonly readOnly: boolean },
): Promise<void> {
  const { uid, gid } = statSync(source);
  const userNamespace = await openUserNamespace(swapped(uid, hostUid), swapped(gid, hostUid));
  try {
    mountIdMapped({ source, ...mount, userNamespace });
  } catch (error) {
    if (!(error instanceof SystemError) || error.syscall !== "mount_setattr" || error.code !== "EINVAL") throw error;
    throw new Error(
      `${source} is on a file system whose owners can't be mapped to the sandbox's user (ext4, XFS, Btrfs and tmpfs ` +
        "can): use a folder on another one, or the gateway of the folder's own user",
    );
  } finally {
    closeSync(userNamespace);
  }
}

/** A user namespace with these maps. It lasts as long as something is mounted with it. */
async function openUserNamespace(uidMap: string, gidMap: string): Promise<number> {
  // It says a line once it is in its namespace, and ends with its input.
  const holder = spawn("unshare", ["--user", "sh", "-c", "echo; exec cat"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(holder, "close");
  await Promise.race([
    once(holder.stdout, "data"),
    ended.then(([code]) => Promise.reject(new Error(`unshare ended with ${code}`))),
  ]);
  writeFileSync(`/proc/${holder.pid}/uid_map`, uidMap);
  writeFileSync(`/proc/${holder.pid}/gid_map`, gidMap);
  const namespace = openSync(`/proc/${holder.pid}/ns/user`, "r");
  holder.stdin.end();
  await ended;
  return namespace;
}
