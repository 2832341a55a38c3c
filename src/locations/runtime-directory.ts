/**
 * Where sockets live. Not below the state directory: the path of a Unix socket is limited to 107 bytes (unix(7)), and a
 * home directory can be long.
 */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { Environment } from "./environment.ts";

/** A Unix socket's path has 108 bytes, the last of them 0; unix(7). */
const MAX_SOCKET_PATH_BYTES = 107;

/** Twelve hex digits: enough that the few state directories of one user never meet. */
const STATE_NAME_LENGTH = 12;

/**
 * The directory for the sockets of the gateway that owns `stateDirectory`; created if need be, for its owner alone.
 * Throws when the directory belongs to somebody else: below /tmp anyone could have made it first, and would then be
 * handed every supervisor's token. Throws when no socket could have so long a path.
 */
export function runtimeDirectory(environment: Environment, stateDirectory: string): string {
  const base = runtimeBase(environment);
  const state = createHash("sha256").update(stateDirectory).digest("hex").slice(0, STATE_NAME_LENGTH);
  const directory = join(base, state);
  const excess = Buffer.byteLength(supervisorSocketPath(directory)) - MAX_SOCKET_PATH_BYTES;
  if (excess > 0) throw new Error(`${base} is ${excess} bytes too long for sockets`);
  privateDirectory(base);
  return privateDirectory(directory);
}

/** Where the programs of the gateway's own user find it. Not beside the supervisors' socket, whose directory they see. */
export function apiSocketPath(runtimeDirectory: string): string {
  return join(runtimeDirectory, "api.sock");
}

/** Where supervisors find the gateway. A directory of its own, because it is bound into their mount namespaces. */
export function supervisorSocketPath(runtimeDirectory: string): string {
  return join(runtimeDirectory, "gateway", "supervisors.sock");
}

function runtimeBase(environment: Environment): string {
  const base = environment.XDG_RUNTIME_DIR;
  if (base && isAbsolute(base)) return join(base, "openshell");
  const uid = effectiveUid();
  return uid === 0 ? "/run/openshell" : `/tmp/openshell-${uid}`;
}

function privateDirectory(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  // lstat, because a symbolic link planted in /tmp must not count as the directory it points to.
  const status = lstatSync(path);
  if (!status.isDirectory()) throw new Error(`${path} is not a directory`);
  if (status.uid !== effectiveUid()) throw new Error(`${path} belongs to uid ${status.uid}, not to you`);
  if ((status.mode & 0o022) !== 0) throw new Error(`${path} is writable by others`);
  return path;
}

function effectiveUid(): number {
  return process.geteuid?.() ?? 0;
}
