/**
 * The first line of a connection, which says what the connection is for. Read alone: the bytes behind it belong to
 * whoever takes the connection over, and may be a command's output that nobody must parse.
 */
import type { Duplex } from "node:stream";

const NEWLINE = 0x0a;

export interface OpeningLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/**
 * Calls `then` once with the line, the stream paused and the bytes behind the line still in it. Whoever sends no line in time, a
 * longer one, or leaves before its end, is disconnected.
 */
export function readOpeningLine(
  stream: Duplex,
  { maxBytes, timeoutMs }: OpeningLimits,
  then: (line: string) => void,
): void {
  let read = Buffer.alloc(0);
  const onData = (chunk: Buffer | string) => {
    read = Buffer.concat([read, chunk as Buffer]);
    const end = read.indexOf(NEWLINE);
    if (end === -1 && read.length <= maxBytes) return;
    stream.off("data", onData).off("end", onEnd).off("close", onClose);
    clearTimeout(timer);
    stream.pause();
    if (end === -1 || end > maxBytes) return void stream.destroy();
    // Put back at once: whoever takes the stream over may look something up before, and once a peer that has said all is seen
    // to have ended, nothing can be put back any more.
    if (end + 1 < read.length) stream.unshift(read.subarray(end + 1));
    then(read.toString("utf8", 0, end));
  };
  // A half-open socket whose peer leaves early would otherwise stay.
  const onEnd = () => void stream.destroy();
  const timer = setTimeout(onEnd, timeoutMs);
  const onClose = () => clearTimeout(timer);
  stream.on("data", onData).on("end", onEnd).on("close", onClose);
}
