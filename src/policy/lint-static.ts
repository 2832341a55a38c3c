/** What can't be meant in the sections that are fixed when a sandbox is created. */
import type { FilesystemPolicy, ProcessPolicy } from "./policy.ts";
import type { KeyPath, Problem } from "./problem.ts";

/** PATH_MAX. */
const longestPath = 4096;
/** Each path is a mount and a Landlock rule; the start of a sandbox pays for all of them. */
const mostPaths = 256;
/** (uid_t) -1 means "no change" to the kernel, so it is no one's id. */
const largestId = 4_294_967_294;

/** Checks what mounts and Landlock rules will be made of. */
export function lintFilesystem(filesystem: FilesystemPolicy): Problem[] {
  const problems = [
    ...filesystem.readOnly.flatMap((path, index) => lintPath(path, ["filesystem_policy", "read_only", index])),
    ...filesystem.readWrite.flatMap((path, index) => lintPath(path, ["filesystem_policy", "read_write", index])),
  ];
  for (const [index, path] of filesystem.readWrite.entries()) {
    if (path !== "/") continue;
    problems.push(
      error(["filesystem_policy", "read_write", index], "must not be `/`; list the directories to write to"),
    );
  }
  const count = filesystem.readOnly.length + filesystem.readWrite.length;
  if (count > mostPaths) problems.push(error(["filesystem_policy"], `lists ${count} paths; at most ${mostPaths}`));
  return problems;
}

function lintPath(path: string, key: KeyPath): Problem[] {
  if (!path.startsWith("/")) return [error(key, "must be an absolute path")];
  if (path.split("/").includes("..")) return [error(key, "must not hold `..`")];
  if (path.split("/").includes(".")) return [error(key, "must not hold `.` as a segment")];
  return path.length > longestPath ? [error(key, `must be at most ${longestPath} characters long`)] : [];
}

/** Checks who the agent may run as: never root, in whichever way it is written. */
export function lintProcess(process: ProcessPolicy): Problem[] {
  return [
    ...lintId(process.runAsUser, ["process", "run_as_user"]),
    ...lintId(process.runAsGroup, ["process", "run_as_group"]),
  ];
}

function lintId(id: string | undefined, key: KeyPath): Problem[] {
  if (id === undefined || id === "sandbox") return [];
  // No leading zero: some programs would read an octal number.
  if (/^[1-9][0-9]{0,9}$/.test(id) && Number(id) <= largestId) return [];
  const why = id === "root" || id === "0" ? "must not be root; " : "must be ";
  return [error(key, `${why}\`sandbox\` or a number from 1 to ${largestId}`)];
}

function error(key: KeyPath, message: string): Problem {
  return { severity: "error", key, message };
}
