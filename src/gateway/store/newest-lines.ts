/**
 * A sandbox's log and what was asked of the gateway about it, as one. Each stays in the order in which it was written, and the
 * time decides between them. Where the clock was set back, lines from before it have a time that has not come yet: they count
 * as of the moment of what was written next, or they would be taken for the newest until the clock has come round again.
 */
import type { SandboxLogLine } from "../../gen/openshell/v1/watch_pb.ts";

/** @param logs each newest first. @returns the newest of both, `limit` at most, oldest first */
export function newestLines(logs: readonly (readonly SandboxLogLine[])[], limit: number): SandboxLogLine[] {
  const ends = logs.map((lines) => new LogEnd(lines));
  const newest: SandboxLogLine[] = [];
  while (newest.length < limit) {
    const [end, other] = ends;
    const later = other !== undefined && (end === undefined || other.timeMs >= end.timeMs) ? other : end;
    const line = later?.take();
    if (line === undefined) break;
    newest.push(line);
  }
  return newest.reverse();
}

/** What is left of a log that is read from its end. */
class LogEnd {
  readonly #lines: readonly SandboxLogLine[];
  #taken = 0;
  /** That its last line counts as of; before all times when there is none. */
  timeMs = Number.POSITIVE_INFINITY;

  constructor(lines: readonly SandboxLogLine[]) {
    this.#lines = lines;
    this.#look();
  }

  take(): SandboxLogLine | undefined {
    const line = this.#lines[this.#taken++];
    this.#look();
    return line;
  }

  #look(): void {
    const line = this.#lines[this.#taken];
    this.timeMs = line === undefined ? Number.NEGATIVE_INFINITY : Math.min(this.timeMs, Number(line.timestampMs));
  }
}
