/** The chain of processes that led to one, as far as the sandbox's own first process. */
import type { ProcFs } from "../../../linux/proc.ts";
import { type ProcessStat, parseProcessStat } from "../../../linux/process-stat.ts";
import type { Holder } from "../connection.ts";
import { executablePath } from "./executable-path.ts";

/** Deeper chains are cut: nothing real nests so far, and each step costs two reads. */
const deepestChain = 64;

/**
 * Ancestors of `child`, nearest first. Init and the namespace's first process are left out: they are ours, every process
 * descends from them, and a rule that named their binary would allow everything. An orphan therefore has no ancestors.
 * An ancestor that vanished while we looked ends the chain: fewer ancestors never allow more.
 */
export function ancestorsOf(child: ProcessStat, proc: ProcFs, initPid: number): Holder["ancestors"] {
  const ancestors: { pid: number; path: string }[] = [];
  let current = child;
  while (ancestors.length < deepestChain) {
    const pid = current.parent;
    if (pid <= 1 || pid === initPid) break;
    const line = proc.readText(`${pid}/stat`);
    const stat = line === undefined ? undefined : parseProcessStat(line);
    // A parent is older than its child. If it is not, the real one has gone and its number was given out again.
    if (stat === undefined || stat.startTime > current.startTime) break;
    const path = executablePath(pid, proc);
    if (path === undefined) break;
    ancestors.push({ pid, path });
    current = stat;
  }
  return ancestors;
}
