/**
 * The files that a copy which broke off has left in its staging folder, whole ones and beginnings. Nothing of it is written
 * to where it lies: what is used again is moved to its place in the new copy first, and only what is a file there, with one
 * name.
 */
import { constants } from "node:fs";
import { chmod, lstat, open, opendir, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Steps } from "./entry-path.ts";
import { digestOfStart, MAX_OFFERS, MIN_OFFERED_BYTES, type Offer } from "./offer.ts";
import { errnoOf } from "./transfer-failure.ts";

export class Stock {
  readonly #root: string;
  /** What was offered, by its path in the stock. */
  readonly #offered = new Map<string, number>();

  /** @param root a folder that may be missing. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Reads all of it for the digests. The paths are relative to the stock. */
  async *offers(folder = ""): AsyncGenerator<Offer> {
    const place = join(this.#root, folder);
    try {
      // A folder that had arrived has the mode of the one that was copied.
      await chmod(place, 0o700);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return;
      throw error;
    }
    for await (const child of await opendir(place)) {
      const path = folder === "" ? child.name : `${folder}/${child.name}`;
      if (child.isDirectory()) yield* this.offers(path);
      else if (child.isFile() && this.#offered.size < MAX_OFFERS) yield* this.#offer(path);
    }
  }

  async *#offer(path: string): AsyncGenerator<Offer> {
    const file = join(this.#root, path);
    const { size, nlink } = await lstat(file);
    if (size < MIN_OFFERED_BYTES || nlink !== 1) return;
    await chmod(file, 0o600);
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const sha256 = await digestOfStart(handle, size);
      this.#offered.set(path, size);
      yield { path, bytes: size, sha256 };
    } finally {
      await handle.close();
    }
  }

  /**
   * Moves a file to where nothing is yet, and nobody else puts anything.
   * @returns whether there is such a file, of exactly so many bytes, and was offered; each is given once
   */
  async take(path: Steps, bytes: number, to: string): Promise<boolean> {
    const key = path.join("/");
    if (this.#offered.get(key) !== bytes) return false;
    this.#offered.delete(key);
    await rename(join(this.#root, key), to);
    return true;
  }
}
