/**
 * Output that is kept in a file: the newest of it. A full file is put aside under the same name with `.1`, in place of the
 * one before, so that what a program writes for ever takes no more than twice the limit.
 */
import { type FileHandle, open, rename } from "node:fs/promises";

/** Bytes of one of the two files. A day of a talkative server; more belongs where the program itself puts it. */
export const maxKeptOutputBytes = 8 * 1024 * 1024;

export class KeptOutput {
  readonly #path: string;
  readonly #maxBytes: number;
  #file: FileHandle | undefined;
  #size = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(path: string, maxBytes: number = maxKeptOutputBytes) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  /** Resolves when the bytes are written, or lost: a full disk must not stop the program that writes. */
  append(bytes: Buffer): Promise<void> {
    this.#last = this.#last.then(() => this.#write(bytes)).catch(() => undefined);
    return this.#last;
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

  /** The file, with room for so many bytes as far as its limit goes. */
  async #open(bytes: number): Promise<FileHandle> {
    if (this.#file !== undefined && this.#size + bytes > this.#maxBytes) {
      await this.#file.close();
      this.#file = undefined;
      await rename(this.#path, `${this.#path}.1`);
    }
    if (this.#file === undefined) {
      this.#file = await open(this.#path, "a", 0o600);
      this.#size = (await this.#file.stat()).size;
    }
    return this.#file;
  }
}
