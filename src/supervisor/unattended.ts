/** What a sandbox does with nobody there: it runs its own command, and looks at the clock and at its memory. */
import { constants } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { watchDisk } from "./disk-limit.ts";
import { diskUse, writtenPaths } from "./disk-use.ts";
import type { Audit } from "./egress/11-audit.ts";
import { type ExecContext, exec } from "./exec.ts";
import { KeptOutput } from "./kept-output.ts";
import type { LaunchSpec } from "./launch-spec.ts";
import { whenLifetimeOver } from "./lifetime.ts";
import { watchMemoryKills } from "./memory-kills.ts";
import { runOwnCommand } from "./own-command.ts";
import { hasPrograms } from "./sandbox/remaining-programs.ts";
import type { RunningStatus } from "./sandbox-status.ts";

/** Below `/var/log` in the sandbox. */
const OUTPUT_FILE = "openshell-command.log";

/** A gateway answers that a sandbox's time is over by stopping it. One that is away must not let it run on. */
const GATEWAY_STOPS_WITHIN_MS = 5_000;
/** What programs get between SIGTERM and SIGKILL when no gateway says so. */
const GRACE_SECONDS = 10;

export interface Unattended {
  /** With the credentials as they are then. */
  readonly exec: () => ExecContext;
  readonly initPid: number;
  readonly status: RunningStatus;
  readonly audit: Pick<Audit, "finding">;
  /** Ends the sandbox, with that grace for its programs. */
  readonly stop: (graceSeconds: number) => void;
  /** The sandbox ends. */
  readonly signal: AbortSignal;
}

/** Starts all that; ends with the signal. */
export function runUnattended(spec: LaunchSpec, unattended: Unattended): void {
  const { command, lifetime, limits, directories } = spec;
  const { initPid, status, stop, signal } = unattended;
  let isRunningCommand = command !== undefined;
  if (command !== undefined) {
    const output = new KeptOutput(join(directories.logs, OUTPUT_FILE));
    void runOwnCommand(command, {
      output,
      signal,
      start: ({ words, tty }, channel) => exec({ command: [...words], tty }, channel, unattended.exec()),
      onEnded: (exitCode, restartCount) => status.commandEnded(exitCode, restartCount),
    }).then(async () => {
      isRunningCommand = false;
      await output.close();
      if (!signal.aborted) status.finished("command");
    });
  }
  if (limits.memory) void reportMemoryKills(limits.memory, unattended);
  if (limits.diskBytes !== undefined) void keepDiskLimit(limits.diskBytes, spec, unattended);
  const isBusy = () => isRunningCommand || hasPrograms(initPid);
  void whenLifetimeOver(lifetime, { isBusy, signal }).then(async (why) => {
    status.finished(why);
    await delay(GATEWAY_STOPS_WITHIN_MS, undefined, { signal }).catch(() => undefined);
    stop(GRACE_SECONDS);
  });
}

async function keepDiskLimit(
  limitBytes: number,
  { directories, folders }: LaunchSpec,
  { exec, initPid, status, audit, signal }: Unattended,
): Promise<void> {
  const paths = writtenPaths(directories, folders);
  await watchDisk(limitBytes, {
    measure: () => diskUse(paths, initPid),
    isBusy: () => hasPrograms(initPid),
    onExceeded: (why) => {
      exec().init.signalAll(constants.signals.SIGKILL);
      status.outOfDisk(why);
      audit.finding({
        kind: "out_of_disk",
        title: "The sandbox's programs were ended because its files take more than they may",
        description: why,
        severity: "medium",
        remedy: "Delete files in it with `openshell sandbox exec -- rm`, or create it with a larger --disk.",
      });
    },
    onRoom: () => status.outOfDisk(undefined),
    signal,
  });
}

async function reportMemoryKills(
  { bytes, eventsFile }: NonNullable<LaunchSpec["limits"]["memory"]>,
  { status, audit, signal }: Unattended,
): Promise<void> {
  const onKills = (count: number) => {
    status.outOfMemory(count, bytes);
    audit.finding({
      kind: "out_of_memory",
      title: "A program was killed because the sandbox's memory was used up",
      description: `${count} killed since the start; the limit is ${bytes} bytes`,
      severity: "medium",
      remedy: "Create the sandbox with a larger --memory.",
    });
  };
  await watchMemoryKills(eventsFile, { onKills, signal });
}
