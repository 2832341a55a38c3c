/**
 * The command that a sandbox runs by itself: started with the sandbox, run again as was asked for, its output kept where
 * `sandbox exec` can read it. It runs as any command does, on a channel whose other end is a file instead of a client.
 */
import { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { ExecChannel } from "./exec-channel.ts";
import type { KeptOutput } from "./kept-output.ts";
import type { OwnCommand } from "./launch-spec.ts";
import { unattendedChannel } from "./unattended-channel.ts";

/** Before the command is run again; doubled each time … */
const FIRST_PAUSE_MS = 1_000;
/** … up to this: a command that fails at once must not keep the machine busy. */
const LAST_PAUSE_MS = 60_000;
/** One that ran for so long has not failed at once: the next pause is the first again. */
const STEADY_MS = 60_000;

export interface OwnCommandOptions {
  readonly output: KeptOutput;
  /** Starts the command on the channel. */
  readonly start: (command: OwnCommand, channel: ExecChannel) => void;
  /** Told of each end. */
  readonly onEnded: (exitCode: number, restartCount: number) => void;
  /** The sandbox stops: what ends now was ended, and is not run again. */
  readonly signal: AbortSignal;
}

/** Runs the command until it is not to be run again, or the sandbox stops. */
export async function runOwnCommand(
  command: OwnCommand,
  { output, start, onEnded, signal }: OwnCommandOptions,
): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  for (let restarts = 0; ; restarts += 1) {
    const startedAt = performance.now();
    const exitCode = await new Promise<number>((resolve) => start(command, outputChannel(command, output, resolve)));
    if (signal.aborted) return;
    onEnded(exitCode, restarts);
    if (!isRunAgain(command, exitCode)) return;
    if (performance.now() - startedAt >= STEADY_MS) pauseMs = FIRST_PAUSE_MS;
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS);
  }
}

function isRunAgain({ restart }: OwnCommand, exitCode: number): boolean {
  return restart === "always" || (restart === "on-failure" && exitCode !== 0);
}

/** Both outputs go to the file, in the order of writing. */
function outputChannel({ tty }: OwnCommand, output: KeptOutput, exited: (code: number) => void): ExecChannel {
  return unattendedChannel({ tty, stdout: outputWriter(output), stderr: outputWriter(output), exited });
}

function outputWriter(output: KeptOutput): Writable {
  return new Writable({ write: (chunk: Buffer, _encoding, done) => void output.append(chunk).then(() => done()) });
}
