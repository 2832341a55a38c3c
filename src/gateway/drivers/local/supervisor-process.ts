import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { processStartTime } from "../../../linux/process-stat.ts";
import type { LaunchSpec, Preparation } from "../../../supervisor/launch-spec.ts";
import type { SupervisorProcess } from "../driver.ts";

/** Enough for the message of an exception with its stack. */
const LAST_WORDS_BYTES = 2_048;

export interface SupervisorCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Its first orders. */
  readonly preparation: Preparation;
  /** Where its standard output and error go; not a file that the sandbox's uid could replace. */
  readonly logPath: string;
}

/** A supervisor that waits on its standard input. */
export interface WaitingSupervisor {
  readonly process: SupervisorProcess;
  launch(spec: LaunchSpec): void;
  readonly ended: Promise<{ readonly why: string }>;
}

/** Spawns a supervisor that outlives the gateway once it has been launched. Throws if it cannot be spawned. */
export async function spawnSupervisor(command: SupervisorCommand): Promise<WaitingSupervisor> {
  const log = openSync(command.logPath, "a", 0o600);
  let child: ChildProcess;
  try {
    child = spawn(command.file, command.args, {
      // A session of its own: a signal to the gateway's terminal must not reach it.
      detached: true,
      stdio: ["pipe", log, log],
      env: command.environment,
    });
    await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
  } finally {
    closeSync(log);
  }
  const pid = child.pid ?? 0;
  // It may end before it has read: then its end is what counts, not that it could not be written to.
  child.stdin?.on("error", () => {});
  const ended = new Promise<{ why: string }>((resolve) => {
    child.once("exit", (code, signal) => resolve({ why: whyEnded({ code, signal }, command.logPath) }));
  });
  child.stdin?.write(`${JSON.stringify(command.preparation)}\n`);
  child.unref();
  return {
    process: { pid, startTime: processStartTime(pid) ?? "" },
    launch: (spec) => void child.stdin?.end(`${JSON.stringify(spec)}\n`),
    ended,
  };
}

function whyEnded({ code, signal }: { code: number | null; signal: string | null }, logPath: string): string {
  const how = signal === null ? `the supervisor ended with code ${code}` : `the supervisor was ended by ${signal}`;
  const said = code === 0 ? "" : lastWords(logPath);
  return said === "" ? how : `${how}: ${said}`;
}

/** The line of the log's end that says most: the message of an uncaught error, else the last line. */
function lastWords(logPath: string): string {
  try {
    const log = openSync(logPath, "r");
    try {
      const { size } = fstatSync(log);
      const bytes = Buffer.alloc(Math.min(size, LAST_WORDS_BYTES));
      readSync(log, bytes, 0, bytes.length, size - bytes.length);
      const lines = bytes.toString("utf8").trimEnd().split("\n");
      return lines.findLast((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? "";
    } finally {
      closeSync(log);
    }
  } catch {
    return "";
  }
}
