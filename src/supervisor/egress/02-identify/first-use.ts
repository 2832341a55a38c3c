/**
 * The digest that each program had when it was first seen in this sandbox. Kept in the sandbox's state directory, which
 * no process of the sandbox sees, so that an agent can't put its own program in the place of an allowed one, neither now
 * nor after a restart.
 */
import { type FileHandle, open, readFile } from "node:fs/promises";

/**
 * Programs that are remembered; an entry takes some 200 bytes. Beyond it a program that is new is refused, since
 * forgetting an old one would let it be replaced.
 */
export const rememberedProgramsLimit = 16_384;

/** `same` also for a first use; `full` and `unwritable` (the disk is full, or fails) if one can't be remembered. */
export type FirstUseVerdict = "same" | "changed" | "full" | "unwritable";

export class FirstUseMemory {
  readonly #digests: Map<string, string>;
  /** First uses on their way to the disk, by the program's path. */
  readonly #writes = new Map<string, Promise<FirstUseVerdict>>();
  readonly #file: FileHandle;

  private constructor(file: FileHandle, digests: Map<string, string>) {
    this.#file = file;
    this.#digests = digests;
  }

  /**
   * Opens the file, or makes it. A line that is torn (the machine failed while it was written) is skipped: no answer was
   * given for it.
   * @throws what `node:fs` throws when the file can't be read or made
   */
  static async open(path: string): Promise<FirstUseMemory> {
    const file = await open(path, "a", 0o600);
    const digests = new Map<string, string>();
    for (const line of (await readFile(path, "utf8")).split("\n")) {
      const entry = parseLine(line);
      // The first entry counts, should there be two.
      if (entry !== undefined && !digests.has(entry.path)) digests.set(entry.path, entry.sha256);
    }
    return new FirstUseMemory(file, digests);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  /** Compares a program with its first use; a first use is on disk when this resolves to `same`. */
  async compare(path: string, sha256: string): Promise<FirstUseVerdict> {
    const known = this.#digests.get(path);
    if (known !== undefined && known !== sha256) return "changed";
    // Of two first uses at the same moment one is the first, and both wait.
    if (known !== undefined) return this.#writes.get(path) ?? "same";
    if (this.#digests.size >= rememberedProgramsLimit) return "full";
    this.#digests.set(path, sha256);
    const write = this.#write(path, sha256);
    this.#writes.set(path, write);
    return write;
  }

  async #write(path: string, sha256: string): Promise<FirstUseVerdict> {
    try {
      // What follows a torn line must not become part of it.
      await this.#file.appendFile(`\n${JSON.stringify({ path, sha256 })}\n`);
      await this.#file.datasync();
      return "same";
    } catch {
      // The next start would not know of it, so neither does this one: the use after this may be the first.
      this.#digests.delete(path);
      return "unwritable";
    } finally {
      this.#writes.delete(path);
    }
  }
}

function parseLine(line: string): { path: string; sha256: string } | undefined {
  if (line === "") return undefined;
  try {
    const { path, sha256 } = JSON.parse(line);
    return typeof path === "string" && typeof sha256 === "string" ? { path, sha256 } : undefined;
  } catch {
    return undefined;
  }
}
