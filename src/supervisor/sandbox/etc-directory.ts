/**
 * The sandbox's `/etc`: a few files of its own, over the host's where the policy shows `/etc` at all. Laid over with a
 * read-only overlay, since a mount point can't be made inside a folder that is itself mounted read-only.
 */
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { hostsFile, RESOLV_CONF } from "../../net/resolver-files.ts";
import { type SandboxTrust, systemTrust, trustFiles } from "./trust-files.ts";

export interface EtcFiles {
  readonly uid: number;
  readonly gid: number;
  readonly trust: SandboxTrust;
}

/** What is known only when somebody wants the sandbox. */
export interface LateEtcFiles {
  readonly sandboxName: string;
  /** The policy in force at the start, as YAML. */
  readonly policy: string;
}

/**
 * Files that are filled in after the sandbox has been built. They are mounted one by one, since a change to a layer of
 * an overlay that is in use need not be seen through it.
 */
export const lateEtcFiles = ["hostname", "hosts", "openshell/policy.yaml"];

/** Writes the files below `directory`, which is made; the late ones empty. */
export function writeEtc(directory: string, files: EtcFiles): void {
  const { uid, gid, trust } = files;
  const texts: Record<string, string | Buffer> = {
    passwd: [
      "root:x:0:0:root:/root:/usr/sbin/nologin",
      `sandbox:x:${uid}:${gid}:sandbox:/sandbox:/bin/bash`,
      "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
      "",
    ].join("\n"),
    group: `root:x:0:\nsandbox:x:${gid}:\nnogroup:x:65534:\n`,
    "resolv.conf": RESOLV_CONF,
    // The host's own may name services (resolve, mdns, sss) that are asked over sockets which the sandbox does not have.
    "nsswitch.conf":
      "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n",
    ...trustFiles(trust),
    ...Object.fromEntries(lateEtcFiles.map((name) => [name, ""])),
  };
  for (const [name, text] of Object.entries(texts)) writeFileSync(freePath(directory, name), text, { mode: 0o644 });
  for (const [name, ours] of Object.entries(systemTrust)) {
    if (existsSync(join("/etc", name))) symlinkSync(ours, freePath(directory, name));
  }
}

/** Fills the late files in, keeping each the same file: that is what is mounted. */
export function completeEtc(directory: string, { sandboxName, policy }: LateEtcFiles): void {
  const texts: Record<string, string> = {
    hostname: `${sandboxName}\n`,
    hosts: hostsFile(sandboxName),
    "openshell/policy.yaml": policy,
  };
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(directory, name), text);
}

/**
 * A path in a folder that exists, and with nothing at it: a copy of the host's may be in the way (see copyEtc), which can
 * be a link to a file outside.
 */
function freePath(directory: string, name: string): string {
  const path = join(directory, name);
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  return path;
}

/**
 * Whether the host's `/etc` can be the lower layer of an overlay. Not where files in it are mount points, as in most
 * containers: a user namespace must not see below mounts that it has not made, and the kernel answers EINVAL.
 */
export function canOverlayEtc(): boolean {
  return !/ \/etc\/\S+ /.test(readFileSync("/proc/self/mountinfo", "latin1"));
}

/** Copies what this user may read of the host's `/etc`, for where it can't be overlaid. Takes some 50 ms. */
export function copyEtc(directory: string): void {
  cpSync("/etc", directory, { recursive: true, verbatimSymlinks: true, filter: isReadable });
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    // A link that leads nowhere is copied as it is; what may not be read is left out.
    return !existsSync(path);
  }
}
