/**
 * The first line of a connection, which says what the connection is for. Read alone: the bytes behind it belong to
 * whoever takes the connection over, and may be a command's output that nobody must parse.
 */
import type { Socket } from "node:net";

const NEWLINE = 0x0a;

export interface OpeningLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/**
 * Calls `then` once with the line and the bytes that came behind it, the socket paused. Whoever sends no line in time, a
 * longer one, or leaves before its end, is disconnected.
 */
export function readOpeningLine(
  socket: Socket,
  { maxBytes, timeoutMs }: OpeningLimits,
  then: (line: string, rest: Buffer) => void,
): void {
  let read = Buffer.alloc(0);
  const onData = (chunk: Buffer | string) => {
    read = Buffer.concat([read, chunk as Buffer]);
    const end = read.indexOf(NEWLINE);
    if (end === -1 && read.length <= maxBytes) return;
    socket.off("data", onData).off("end", onEnd).off("timeout", onEnd);
    socket.setTimeout(0);
    socket.pause();
    if (end === -1 || end > maxBytes) socket.destroy();
    else then(read.toString("utf8", 0, end), read.subarray(end + 1));
  };
  // A half-open socket whose peer leaves early would otherwise stay.
  const onEnd = () => void socket.destroy();
  socket.setTimeout(timeoutMs);
  socket.on("data", onData).on("end", onEnd).on("timeout", onEnd);
}
