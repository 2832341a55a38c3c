/** SHA-256 of the file that a process runs, remembered for as long as the file does not change. */
import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/** Digests remembered, the least recently used forgotten first; an entry takes some 200 bytes. */
const rememberedDigests = 1024;

/**
 * Read and hashed at a time. Hashing runs on the main thread, 0.15 ms for this much, with a turn of the event loop
 * between two pieces: a thread of its own would cost 10 MB and 30 ms to save that.
 */
const pieceSize = 256 * 1024;

/**
 * A file that changed a moment ago may change again without its times showing it: kernels before 6.13 stamp files with
 * the time of the last tick. Such a file is hashed anew each time until this has gone by.
 */
const restMilliseconds = 100n;
const nanosecondsPerMillisecond = 1_000_000n;

export class ExecutableDigests {
  /** By identity of the file; in the order of use. */
  readonly #digests = new Map<string, string>();
  readonly #hashing = new Map<string, Promise<string>>();

  /**
   * Digest (hex) of the file at `path`, which is a `/proc/PID/exe`: opened through it, the very file that runs is read,
   * whatever has become of its name.
   * @throws what `node:fs` throws, when the process has gone or the file can't be read
   */
  digest(path: string): string | Promise<string> {
    const known = this.#known(identity(statSync(path, { bigint: true })));
    return known ?? this.#hashOpened(path);
  }

  #known(key: string): string | undefined {
    const digest = this.#digests.get(key);
    if (digest === undefined) return undefined;
    this.#digests.delete(key);
    this.#digests.set(key, digest);
    return digest;
  }

  async #hashOpened(path: string): Promise<string> {
    await using file = await open(path);
    const before = await file.stat({ bigint: true });
    const key = identity(before);
    // Fifty connections of a program that was just started are one reading.
    const running = this.#hashing.get(key) ?? this.#hash(file, key, before);
    return await running;
  }

  #hash(file: FileHandle, key: string, before: BigIntStats): Promise<string> {
    const hashing = (async () => {
      const digest = await hashFile(file);
      const after = await file.stat({ bigint: true });
      if (identity(after) === key && isAtRest(before)) this.#remember(key, digest);
      return digest;
    })().finally(() => this.#hashing.delete(key));
    this.#hashing.set(key, hashing);
    return hashing;
  }

  #remember(key: string, digest: string): void {
    this.#digests.set(key, digest);
    if (this.#digests.size <= rememberedDigests) return;
    const [oldest] = this.#digests.keys();
    if (oldest !== undefined) this.#digests.delete(oldest);
  }
}

/** The change time is the one that no process can set (utimensat(2) sets the others). */
function identity(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
}

function isAtRest(stats: BigIntStats): boolean {
  return BigInt(Date.now()) - stats.ctimeNs / nanosecondsPerMillisecond > restMilliseconds;
}

async function hashFile(file: FileHandle): Promise<string> {
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafeSlow(pieceSize);
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(piece, 0, pieceSize, position);
    if (bytesRead === 0) return hash.digest("hex");
    hash.update(bytesRead === pieceSize ? piece : piece.subarray(0, bytesRead));
    position += bytesRead;
  }
}
