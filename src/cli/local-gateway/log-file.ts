/** A log file's end, and what is added to it. */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { CommandContext } from "../command-context.ts";

/** Read at once; what is asked for of a longer log is cut at its beginning. */
const WINDOW_BYTES = 4 * 1024 * 1024;
/** A person does not see a shorter delay. */
const LOOK_EVERY_MS = 200;

interface Found {
  readonly lines: readonly string[];
  /** Where they end, in bytes. */
  readonly end: number;
}

/** The last so many whole lines; undefined when there is no file. */
export function lastLines(path: string, count: number): Found | undefined {
  const text = readFrom(path, (size) => Math.max(0, size - WINDOW_BYTES));
  if (text === undefined) return undefined;
  const lines = text.bytes.toString("utf8").split("\n").slice(0, -1);
  return { lines: count === 0 ? [] : lines.slice(-count), end: text.from + text.bytes.lastIndexOf("\n") + 1 };
}

interface Follower {
  readonly print: (line: string) => void;
  readonly context: Pick<CommandContext, "stdout" | "signals">;
}

/** Prints each line that is added behind `end`, until the reader goes away or the user has enough. */
export async function followFile(path: string, end: number, { print, context }: Follower): Promise<void> {
  const enough = new AbortController();
  const stop = () => enough.abort();
  context.stdout.once("error", stop);
  context.signals.on("SIGINT", stop);
  try {
    let at = end;
    while (!enough.signal.aborted) {
      // A shorter file is a new one.
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (size < at) at = 0;
      const added = size > at ? readFrom(path, () => at) : undefined;
      const whole = added?.bytes.subarray(0, added.bytes.lastIndexOf("\n") + 1);
      at += whole?.length ?? 0;
      for (const line of whole?.toString("utf8").split("\n").slice(0, -1) ?? []) print(line);
      if (!whole?.length) await delay(LOOK_EVERY_MS, undefined, { signal: enough.signal }).catch(() => undefined);
    }
  } finally {
    context.signals.off("SIGINT", stop);
    context.stdout.off("error", stop);
  }
}

/** At most one window from there on. */
function readFrom(path: string, where: (size: number) => number): { bytes: Buffer; from: number } | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    const { size } = fstatSync(file);
    const from = where(size);
    const bytes = Buffer.alloc(Math.min(WINDOW_BYTES, Math.max(0, size - from)));
    return { bytes: bytes.subarray(0, readSync(file, bytes, 0, bytes.length, from)), from };
  } finally {
    closeSync(file);
  }
}
