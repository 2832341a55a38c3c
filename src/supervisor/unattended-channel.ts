/** The channel of a command that no client waits for: nobody types, and what it writes goes where it is kept. */
import { Readable, type Writable } from "node:stream";
import type { ExecChannel, ExecListener } from "./exec-channel.ts";

export interface UnattendedEnds {
  readonly tty: boolean;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Told of the command's exit code once both outputs are written. */
  readonly exited: (code: number) => void;
  /** Given what reaches the command besides input, for whoever may want to. */
  readonly listen?: (listener: ExecListener) => void;
}

export function unattendedChannel({ tty, stdout, stderr, exited, listen }: UnattendedEnds): ExecChannel {
  return {
    // The end of a terminal's input would end most programs on it.
    stdin: tty ? new Readable({ read: () => undefined }) : Readable.from([]),
    stdout,
    stderr,
    listen: listen ?? (() => undefined),
    exit: (code) => stdout.end(() => stderr.end(() => exited(code))),
  };
}
