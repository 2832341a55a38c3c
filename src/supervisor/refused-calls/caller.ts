/** Which program made a call that waits for its answer. What can't be read is left out: this is for the record only. */
import { readFileSync } from "node:fs";
import { parseProcessStat } from "../../linux/process-stat.ts";
import { ancestorsOf } from "../egress/02-identify/ancestors.ts";
import { executablePath } from "../egress/02-identify/executable-path.ts";
import { commandLineOf, type IdentifyContext } from "../egress/02-identify/identify.ts";
import type { CallingProgram } from "../egress/11-audit.ts";

/** What is said of a program whose executable can't be read: it may be one that made itself unreadable (mode 0111). */
const unreadable = "unreadable";

/** Process id inside the sandbox and executable of a thread, by its number on the machine; undefined if it has gone. */
export function callerOf(thread: number, { proc }: IdentifyContext): CallingProgram | undefined {
  const pid = processInside(thread);
  return pid === undefined ? undefined : { pid, path: executablePath(pid, proc) ?? unreadable };
}

/** The same with digest, ancestors and command line. */
export async function describeCaller(caller: CallingProgram, context: IdentifyContext): Promise<CallingProgram> {
  const { pid } = caller;
  const { proc } = context;
  const line = proc.readText(`${pid}/stat`);
  const stat = line === undefined ? undefined : parseProcessStat(line);
  if (caller.path === unreadable || stat === undefined) return caller;
  const sha256 = await digestOf(pid, context);
  return {
    ...caller,
    ...(sha256 !== undefined && { sha256 }),
    commandLine: commandLineOf(pid, proc),
    ancestors: ancestorsOf(stat, proc, context.initPid),
  };
}

async function digestOf(pid: number, { proc, digests }: IdentifyContext): Promise<string | undefined> {
  try {
    return await digests.digest(`${proc.path}/${pid}/exe`);
  } catch {
    return undefined;
  }
}

/** The innermost number of a thread's process: the last of NStgid, proc_pid_status(5). */
function processInside(thread: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${thread}/status`, "latin1");
    const [, numbers] = /^NStgid:\s+(.*)$/m.exec(status) ?? [];
    return numbers === undefined ? undefined : Number(numbers.split("\t").at(-1));
  } catch {
    return undefined;
  }
}
