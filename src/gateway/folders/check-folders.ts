/**
 * Which folders of this machine a sandbox may be given, and where it may see them. Fails closed: a folder that holds the
 * gateway's own files would hand its keys to every program of the sandbox.
 */
import { realpath, stat } from "node:fs/promises";
import { isAbsolute, normalize } from "node:path";
import { create } from "@bufbuild/protobuf";
import { FolderAccess, type FolderMount, FolderMountSchema } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { FilesystemPolicy } from "../../policy/policy.ts";
import { failedPrecondition, invalid } from "../refuse.ts";

/** Each is a mount, or two. */
const MAX_FOLDERS = 16;
/** PATH_MAX. */
const MAX_PATH_BYTES = 4096;

/**
 * Of the kernel's making, or of other programs': no one's data. In /run are the sockets by which services are told what to
 * do, container engines among them, and where engines keep their own is the disk of everything that runs in them.
 */
const notData = ["/proc", "/sys", "/dev", "/run", "/var/lib/docker", "/var/lib/containers", "/var/lib/containerd"];

/** What every sandbox has there, or what its programs are found by. */
const reserved = [
  ...["/proc", "/sys", "/dev", "/run", "/etc", "/var/log", "/boot", "/usr"],
  ...["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"],
];
/** Folders of the sandbox's own, in which others may be shown. */
const own = ["/sandbox", "/tmp"];

export interface FolderRules {
  readonly filesystem: FilesystemPolicy;
  /** The gateway's own state, configuration and sockets. */
  readonly privateDirectories: readonly string[];
}

/** The folders with their links resolved. Throws INVALID_ARGUMENT or FAILED_PRECONDITION that names the first bad one. */
export async function checkFolders(folders: readonly FolderMount[], rules: FolderRules): Promise<FolderMount[]> {
  if (folders.length > MAX_FOLDERS) throw invalid(`${folders.length} folders; at most ${MAX_FOLDERS}`);
  if (folders.filter(({ access }) => access === FolderAccess.COPY_ON_WRITE).length > 1) {
    throw invalid("a sandbox has one workspace; show the other folder with --mount");
  }
  refuseTargets(
    folders.map(({ target, access }) => {
      return { target, access: access === FolderAccess.READ_ONLY ? "read-only" : "read-write" };
    }),
    rules.filesystem,
  );
  return await Promise.all(folders.map((folder) => checkHost(folder, rules)));
}

/** A place in the sandbox where something is to be shown. */
export interface Target {
  readonly target: string;
  /** All but `read-only` is written to. */
  readonly access: string;
}

/** Throws INVALID_ARGUMENT that names the first place that is taken, or is no place. */
export function refuseTargets(targets: readonly Target[], filesystem: FilesystemPolicy): void {
  for (const [index, { target, access }] of targets.entries()) {
    refuseTarget({ target, access }, filesystem);
    const around = targets.find((other, at) => at !== index && isWithin(target, other.target));
    if (around) throw invalid(`${target} lies in ${around.target}, where another folder is to be shown`);
  }
}

function refuseTarget({ target, access }: Target, { readOnly, readWrite }: FilesystemPolicy): void {
  const isPlain = isAbsolute(target) && normalize(target) === target && !target.endsWith("/");
  if (!isPlain || Buffer.byteLength(target) > MAX_PATH_BYTES || /[\0-\x1f\x7f]/.test(target)) {
    throw invalid(`"${target}" must be an absolute path in the sandbox, without "." and ".."`);
  }
  const system = reserved.find((path) => isWithin(target, path) || isWithin(path, target));
  if (system !== undefined) throw invalid(`${target} would take the place of the sandbox's own ${system}`);
  if (own.includes(target)) throw invalid(`${target} is the sandbox's own; choose a folder in it`);
  const inOwn = own.some((path) => isWithin(target, path));
  const shown = [...readOnly, ...readWrite].find((path) => path !== "/" && path !== target && isWithin(target, path));
  if (shown !== undefined && !inOwn) {
    throw invalid(`${target} lies in ${shown}, which the policy's filesystem section shows; choose another place`);
  }
  if (readOnly.includes(target) && access !== "read-only") {
    throw invalid(`the policy's filesystem section says that ${target} is read-only; mount it with :ro`);
  }
}

async function checkHost(folder: FolderMount, { privateDirectories }: FolderRules): Promise<FolderMount> {
  const { target, access } = folder;
  if (
    ![FolderAccess.COPY_ON_WRITE, FolderAccess.READ_ONLY, FolderAccess.READ_WRITE].some((known) => known === access)
  ) {
    throw invalid(`${target} has no access that this gateway knows`);
  }
  if (!isAbsolute(folder.host)) throw invalid(`"${folder.host}" must be an absolute path on the gateway's machine`);
  const host = await resolved(folder.host);
  const kernel = notData.find((path) => isWithin(host, path));
  if (host === "/" || kernel !== undefined) throw invalid(`${host} is the system's own; choose a folder with data`);
  const secret = privateDirectories.find((path) => isWithin(path, host) || isWithin(host, path));
  if (secret !== undefined) {
    throw invalid(
      `${host} holds the gateway's own files (${secret}), its keys among them; choose a folder without them`,
    );
  }
  const status = await stat(host);
  if (access === FolderAccess.COPY_ON_WRITE && !status.isDirectory()) throw invalid(`${host} is no folder`);
  if (!status.isDirectory() && !status.isFile()) throw invalid(`${host} is neither a folder nor a file`);
  return create(FolderMountSchema, { host, target, access });
}

async function resolved(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem = code === "ENOENT" ? "there is no such folder" : `it can't be reached (${code})`;
    throw failedPrecondition(`${path}: ${problem} on the gateway's machine`);
  }
}

/** Whether the path is the folder or lies in it. */
function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}
