/** Path of a process's executable, as the sandbox sees it. */
import { statSync } from "node:fs";
import type { ProcFs } from "../../../linux/proc.ts";

const deletedSuffix = " (deleted)";

/**
 * Where `/proc/PID/exe` leads. The kernel resolved every link when it started the program, and shows the path from the
 * root of the process's own mounts. Undefined if the process has gone or can't be read (see `ProcFs.lastFailure`).
 *
 * The kernel appends ` (deleted)` to a file whose name has gone, as an upgrade does to a running program; that is taken
 * off, so that the program keeps its rules (its content is compared by digest in any case). But a file may bear such a
 * name, so that only a file without any name left counts as deleted; else the text stays, and matches no rule.
 */
export function executablePath(pid: number, proc: ProcFs): string | undefined {
  const link = proc.readLink(`${pid}/exe`);
  if (link?.endsWith(deletedSuffix) && linkCount(`${proc.path}/${pid}/exe`) === 0) {
    return link.slice(0, -deletedSuffix.length);
  }
  return link;
}

function linkCount(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.nlink;
}
