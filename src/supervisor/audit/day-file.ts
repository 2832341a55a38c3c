/**
 * A log file for each UTC day, `PREFIX.YYYY-MM-DD.log`, of which the newest three are kept. Only appended to, by one
 * writer, and always ending in a whole line.
 */
import fs from "node:fs";
import { join } from "node:path";
import { windowBytes } from "./read-after.ts";

/** Days that are kept, today included: what the published tool keeps. Older files are removed when a day begins. */
export const keptDays = 3;

const dayMilliseconds = 24 * 60 * 60 * 1000;

export interface DayFileOptions {
  readonly directory: string;
  readonly prefix: string;
  /** Bytes that a day's file may grow to; what would make it longer is not written. */
  readonly maxBytes: number;
}

export class DayFile {
  readonly #options: DayFileOptions;
  #day = "";
  #fd = -1;
  #size = 0;

  constructor(options: DayFileOptions) {
    this.#options = options;
  }

  /**
   * Appends whole lines, all or nothing. On return they are with the kernel: they survive the death of this process,
   * also by SIGKILL. There is no fsync: it would add milliseconds to each refusal, for all connections of the sandbox,
   * to guard against a power cut alone, which ends the sandbox and all that it could do with the answer.
   * Throws what the file system says (ENOSPC, EDQUOT, EIO …), and leaves the file as it was.
   */
  append(text: string, time: number): void {
    const bytes = Buffer.from(text);
    this.#openFor(time);
    if (this.#size + bytes.length > this.#options.maxBytes) {
      throw new Error(`the day's log has reached its limit of ${this.#options.maxBytes} bytes`);
    }
    try {
      // write(2) may take only a part when the disk fills up in the middle of it.
      for (let done = 0; done < bytes.length; ) done += fs.writeSync(this.#fd, bytes, done);
      this.#size += bytes.length;
    } catch (error) {
      this.#undo();
      throw error;
    }
  }

  /** Paths of the days' files, oldest first. */
  paths(): string[] {
    return dayFiles(this.#options);
  }

  close(): void {
    if (this.#fd !== -1) fs.closeSync(this.#fd);
    this.#fd = -1;
    this.#day = "";
  }

  /** Takes back a half-written batch, which will be written again whole. The next append opens the file anew. */
  #undo(): void {
    try {
      fs.ftruncateSync(this.#fd, this.#size);
    } finally {
      this.close();
    }
  }

  #openFor(time: number): void {
    // Dates as text compare like dates. A clock that is set back over midnight must not bring events behind older ones.
    const day = dayOf(time);
    if (this.#fd !== -1 && day <= this.#day) return;
    this.close();
    const path = join(this.#options.directory, `${this.#options.prefix}.${day}.log`);
    // O_NOFOLLOW: the directory belongs to the sandbox's user id, and a link in it must not lead the supervisor away.
    const flags = fs.constants.O_RDWR | fs.constants.O_APPEND | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW;
    // The sandbox's programs may read it, whose user is another one in a container. Nobody else gets into the directory.
    this.#fd = fs.openSync(path, flags, 0o644);
    this.#size = repairEnd(this.#fd);
    this.#day = day;
    // Today's may be the oldest, where the clock was wrong for days.
    for (const old of this.paths().slice(0, -keptDays)) if (old !== path) fs.rmSync(old, { force: true });
  }
}

/** The day of a time in milliseconds since the epoch, in UTC. */
function dayOf(time: number): string {
  return new Date(time - (time % dayMilliseconds)).toISOString().slice(0, "YYYY-MM-DD".length);
}

function dayFiles({ directory, prefix }: DayFileOptions): string[] {
  const name = /^\d{4}-\d{2}-\d{2}\.log$/;
  return fs
    .readdirSync(directory)
    .filter((file) => file.startsWith(`${prefix}.`) && name.test(file.slice(prefix.length + 1)))
    .sort()
    .map((file) => join(directory, file));
}

/**
 * Cuts off what a crash of the machine has left of a line, and gives the file's size. Nobody was answered on the
 * strength of such a line: its write had not returned.
 */
function repairEnd(fd: number): number {
  const { size } = fs.fstatSync(fd);
  const tail = Buffer.alloc(Math.min(size, windowBytes));
  fs.readSync(fd, tail, 0, tail.length, size - tail.length);
  const whole = size - tail.length + tail.lastIndexOf(10) + 1;
  if (whole !== size) fs.ftruncateSync(fd, whole);
  return whole;
}
