/**
 * Reads the log from a sequence number on. Sequence numbers only grow along the files, so the place is found by halving,
 * and a gateway that was away for a day costs no more than one that was away for a second.
 */
import { type FileHandle, open } from "node:fs/promises";
import type { OcsfEvent } from "../../ocsf/ocsf-event.ts";
import { shorthandMessage } from "../../ocsf/shorthand.ts";
import type { WrittenEvent } from "../../ocsf/write-jsonl.ts";

/** An event as it is in the file. */
export interface LogRecord extends Pick<WrittenEvent, "time" | "severityId" | "shorthand"> {
  readonly sequence: number;
  /** The event's JSON, without the line break. */
  readonly line: string;
}

/**
 * Bytes read at once: more than the longest line, whatever the sandbox does to make one long. What keeps lines short are
 * the limits on each of their parts, in connection-facts.ts and ocsf/objects/; a test puts them all together.
 */
export const windowBytes = 256 * 1024;

const lineBreak = 10;

/** The first `limit` records with a higher sequence number, in order, from the files of the days. */
export async function readAfter(paths: readonly string[], sequence: number, limit: number): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  for (const path of await inSequence(paths)) {
    if (found.length >= limit) break;
    await using file = await open(path, "r");
    await collect(file, { sequence, limit, found });
  }
  return found;
}

/** The files by their first record, which is the order of their names unless the clock was ever wrong by days. */
async function inSequence(paths: readonly string[]): Promise<string[]> {
  const firsts: { readonly path: string; readonly sequence: number }[] = [];
  for (const path of paths) {
    await using file = await open(path, "r");
    const lines = await wholeLines(file, 0);
    const first = parseRecord(lines.toString("utf8", 0, lines.indexOf(lineBreak)));
    if (first) firsts.push({ path, sequence: first.sequence });
  }
  return firsts.sort((one, other) => one.sequence - other.sequence).map(({ path }) => path);
}

interface Search {
  readonly sequence: number;
  readonly limit: number;
  readonly found: LogRecord[];
}

async function collect(file: FileHandle, search: Search): Promise<void> {
  for (let offset = await startOffset(file, search.sequence); search.found.length < search.limit; ) {
    const lines = await wholeLines(file, offset);
    if (lines.length === 0) return;
    offset += lines.length;
    for (const line of lines.toString().trimEnd().split("\n")) {
      const record = parseRecord(line);
      if (record && record.sequence > search.sequence && search.found.length < search.limit) search.found.push(record);
    }
  }
}

/** Start of a line in front of which no record is wanted, and no more than a window before the first that is. */
async function startOffset(file: FileHandle, sequence: number): Promise<number> {
  let low = 0;
  let high = (await file.stat()).size;
  while (high - low > windowBytes) {
    const middle = low + Math.floor((high - low) / 2);
    const window = await readWindow(file, middle);
    // The middle falls inside a line; the next one is the first whole one.
    const start = window.indexOf(lineBreak) + 1;
    const end = window.indexOf(lineBreak, start);
    const record = start > 0 && end !== -1 ? parseRecord(window.toString("utf8", start, end)) : undefined;
    if (record && record.sequence <= sequence) low = middle + start;
    else high = middle;
  }
  return low;
}

/** The lines that begin at an offset, as far as a window reaches, the last one whole. Empty at the end. */
async function wholeLines(file: FileHandle, offset: number): Promise<Buffer> {
  const window = await readWindow(file, offset);
  return window.subarray(0, window.lastIndexOf(lineBreak) + 1);
}

async function readWindow(file: FileHandle, offset: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(windowBytes), 0, windowBytes, offset);
  return buffer.subarray(0, bytesRead);
}

/** A line as a record; undefined for a line that is not ours, which is passed over. */
export function parseRecord(line: string): LogRecord | undefined {
  try {
    const event: OcsfEvent = JSON.parse(line);
    const { sequence = Number.NaN } = event.metadata;
    if (!Number.isSafeInteger(sequence)) return undefined;
    return { sequence, time: event.time, severityId: event.severity_id, shorthand: shorthandMessage(event), line };
  } catch {
    return undefined;
  }
}
