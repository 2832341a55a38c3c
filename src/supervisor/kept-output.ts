/**
 * Output that is kept in a file: the newest of it. A full file is put aside under the same name with `.1`, in place of the
 * one before, so that what a program writes for ever takes no more than twice the limit.
 */
import { existsSync } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";

/** Bytes of one of the two files. A day of a talkative server; more belongs where the program itself puts it. */
export const maxKeptOutputBytes = 8 * 1024 * 1024;

/** At most so much is read at once. */
const READ_BYTES = 64 * 1024;

/** A place in the output: which of its files, counted from the oldest that was there at first, and the byte in that. */
export interface OutputPosition {
  readonly file: number;
  readonly at: number;
}

export const outputStart: OutputPosition = { file: 0, at: 0 };

/** What stands at a position. */
export interface OutputPiece {
  /** Empty at the end, as it is now. */
  readonly bytes: Buffer;
  readonly next: OutputPosition;
  /** What stood there is kept no longer: these are the oldest bytes that are. */
  readonly isGap: boolean;
}

export class KeptOutput {
  readonly #path: string;
  readonly #maxBytes: number;
  #file: FileHandle | undefined;
  /** Of the file that is written to. */
  #number: number;
  #size = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(path: string, maxBytes: number = maxKeptOutputBytes) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#number = existsSync(`${path}.1`) ? 1 : 0;
  }

  /** Resolves when the bytes are written, or lost: a full disk must not stop the program that writes. */
  append(bytes: Buffer): Promise<void> {
    this.#last = this.#last.then(() => this.#write(bytes)).catch(() => undefined);
    return this.#last;
  }

  /** The next bytes from there on. Between two appends, so that no file is put aside meanwhile. */
  read(from: OutputPosition): Promise<OutputPiece> {
    const piece = this.#last.then(() => this.#read(from));
    this.#last = piece.then(
      () => undefined,
      () => undefined,
    );
    return piece;
  }

  /** Resolves when everything is written and the file is closed. */
  async close(): Promise<void> {
    await this.#last;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #write(bytes: Buffer): Promise<void> {
    const file = await this.#open(bytes.length);
    // Counted before it is written: what a full disk has taken of it counts too.
    this.#size += bytes.length;
    await file.appendFile(bytes);
  }

  async #read(from: OutputPosition): Promise<OutputPiece> {
    const oldest = Math.max(0, this.#number - 1);
    const isGap = from.file < oldest;
    let { file, at } = isGap ? { file: oldest, at: 0 } : from;
    for (;;) {
      const bytes = await readAt(file < this.#number ? `${this.#path}.1` : this.#path, at);
      if (bytes.length > 0 || file >= this.#number) return { bytes, next: { file, at: at + bytes.length }, isGap };
      file += 1;
      at = 0;
    }
  }

  /** The file, with room for so many bytes as far as its limit goes. */
  async #open(bytes: number): Promise<FileHandle> {
    if (this.#file !== undefined && this.#size + bytes > this.#maxBytes) {
      await this.#file.close();
      this.#file = undefined;
      await rename(this.#path, `${this.#path}.1`);
      this.#number += 1;
    }
    if (this.#file === undefined) {
      this.#file = await open(this.#path, "a", 0o644);
      this.#size = (await this.#file.stat()).size;
    }
    return this.#file;
  }
}

async function readAt(path: string, at: number): Promise<Buffer> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
  try {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES, at);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
