/** A client that looks at a command which runs without it: what is kept of its output, what comes, and its exit. */
import type { Writable } from "node:stream";
import { ExecFrameReader } from "../../net/exec-frames.ts";
import type { ExecChannel } from "../exec-channel.ts";
import { outputStart } from "../kept-output.ts";
import type { DetachedCommand } from "./detached-command.ts";

/** Bytes of one of the two streams. */
interface Written {
  readonly stream: "stdout" | "stderr";
  readonly data: Buffer;
}

export interface FollowOptions {
  /** Of what is kept, only so many of the newest lines; 0: all of it. */
  readonly tailLines: number;
}

/** Gives the client the output, at its pace, and in the end the exit code. The client's signals are the command's. */
export async function followOutput(
  command: DetachedCommand,
  channel: ExecChannel,
  { tailLines }: FollowOptions = { tailLines: 0 },
): Promise<void> {
  let isGone = false;
  const gone = Promise.withResolvers<void>();
  channel.listen({
    signal: (name) => command.signal(name),
    resize: (size) => command.resize(size),
    closed: () => {
      isGone = true;
      gone.resolve();
    },
  });
  const reading = new OutputReading(command);
  if (tailLines > 0) {
    for (const written of await keptLines(reading, tailLines)) await give(channel, written);
  }
  while (!isGone) {
    // Both from before the look: what comes after it is seen at the next.
    const { exitCode, news } = command;
    const { written, hasMissed } = await reading.next();
    if (hasMissed && tailLines === 0) channel.stderr.write("openshell: older output is kept no longer\n");
    for (const each of written) await give(channel, each);
    if (written.length > 0) continue;
    if (exitCode !== undefined) return channel.exit(exitCode);
    await Promise.race([news, gone.promise]);
  }
}

/** Reads on and on, from the oldest that is kept. */
class OutputReading {
  readonly #command: DetachedCommand;
  #position = outputStart;
  #written: Written[] = [];
  #reader = this.#newReader();

  constructor(command: DetachedCommand) {
    this.#command = command;
  }

  /** What has come since; nothing if it is all read. */
  async next(): Promise<{ readonly written: readonly Written[]; readonly hasMissed: boolean }> {
    const { bytes, next, isGap } = await this.#command.output.read(this.#position);
    // The oldest file begins with a frame.
    if (isGap) this.#reader = this.#newReader();
    this.#position = next;
    this.#reader.push(bytes);
    return { written: this.#written.splice(0), hasMissed: isGap };
  }

  #newReader(): ExecFrameReader {
    return new ExecFrameReader((frame) => {
      if (frame.kind === "stdout" || frame.kind === "stderr")
        this.#written.push({ stream: frame.kind, data: frame.data });
    });
  }
}

/** The newest lines of what is kept now, of both streams together. */
async function keptLines(reading: OutputReading, lines: number): Promise<readonly Written[]> {
  const kept: Written[] = [];
  for (let { written } = await reading.next(); written.length > 0; { written } = await reading.next()) {
    kept.push(...written);
  }
  return lastLines(kept, lines);
}

/** The last lines, whichever stream they are on. What ends without a newline is a line. */
export function lastLines(written: readonly Written[], lines: number): readonly Written[] {
  const taken: Written[] = [];
  let left = lines;
  for (const { stream, data } of written.toReversed()) {
    // A newline at the very end ends the last line and begins no other.
    let end = taken.length === 0 && data.at(-1) === NEWLINE ? data.length - 1 : data.length;
    let begin = 0;
    while (left > 0) {
      end = data.subarray(0, end).lastIndexOf(NEWLINE);
      if (end === -1) break;
      left -= 1;
      if (left === 0) begin = end + 1;
    }
    taken.unshift({ stream, data: data.subarray(begin) });
    if (left === 0) break;
  }
  return taken;
}

const NEWLINE = 0x0a;

/** Waits for a client that reads slowly. */
async function give(channel: ExecChannel, { stream, data }: Written): Promise<void> {
  const writer: Writable = channel[stream];
  if (writer.destroyed || writer.write(data)) return;
  await new Promise<void>((resolve) => writer.once("drain", resolve).once("close", resolve));
}
