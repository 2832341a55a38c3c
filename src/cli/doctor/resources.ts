/**
 * What the machine has left: users, files, room.
 */
import { existsSync, mkdirSync, readFileSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { runtimeDirectory } from "../../locations/runtime-directory.ts";
import { stateDirectory } from "../../locations/state-directory.ts";
import { type Check, fail, ok, warn } from "./finding.ts";

/** Each open connection takes two descriptors in the supervisor; an agent with a browser opens some hundred. */
const COMFORTABLE_OPEN_FILES = 4096;

/** A sandbox's home grows with what the agent installs. */
const COMFORTABLE_FREE_BYTES = 2 * 1024 ** 3;

/** Host users of the sandboxes of a gateway that is root start here. */
const FIRST_SANDBOX_UID = 200_001;

/** As root every sandbox gets a user of its own, which must exist in this user namespace. */
export const userRange: Check = () => {
  if (process.geteuid?.() !== 0) return ok("user range", `sandboxes run as you (uid ${process.geteuid?.() ?? "?"})`);
  for (const line of read("/proc/self/uid_map").trim().split("\n")) {
    const [inside = 0, , length = 0] = line.trim().split(/\s+/).map(Number);
    if (inside <= FIRST_SANDBOX_UID && FIRST_SANDBOX_UID < inside + length) {
      return ok("user range", `each sandbox gets a user of its own from ${FIRST_SANDBOX_UID} upwards`);
    }
  }
  return warn(
    "user range",
    `uid ${FIRST_SANDBOX_UID} does not exist here: sandboxes share one user`,
    "give this container a larger uid range, or run the gateway as an ordinary user",
  );
};

export const openFiles: Check = () => {
  const limit = /^Max open files\s+\S+\s+(\S+)/m.exec(read("/proc/self/limits"))?.[1] ?? "unlimited";
  if (limit === "unlimited" || Number(limit) >= COMFORTABLE_OPEN_FILES) return ok("open files", `up to ${limit}`);
  return warn(
    "open files",
    `only ${limit}`,
    `raise the hard limit: \`ulimit -Hn ${COMFORTABLE_OPEN_FILES}\` or limits.conf`,
  );
};

export const runtimePlace: Check = ({ environment }) => {
  try {
    return ok("runtime directory", runtimeDirectory(environment, stateDirectory(environment)));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fail("runtime directory", reason, "set XDG_RUNTIME_DIR to a directory that only you can write to");
  }
};

export const diskSpace: Check = ({ environment }) => {
  const state = stateDirectory(environment);
  try {
    mkdirSync(state, { recursive: true, mode: 0o700 });
  } catch (error) {
    return fail("state directory", error instanceof Error ? error.message : String(error), "set XDG_STATE_HOME");
  }
  const { bavail, bsize } = statfsSync(existingAncestor(state));
  const free = bavail * bsize;
  const shown = `${(free / 1024 ** 3).toFixed(1)} GiB free in ${state}`;
  if (free >= COMFORTABLE_FREE_BYTES) return ok("disk space", shown);
  return warn("disk space", shown, "make room, or set XDG_STATE_HOME to a larger file system");
};

function existingAncestor(path: string): string {
  return existsSync(path) || path === "/" ? path : existingAncestor(dirname(path));
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
