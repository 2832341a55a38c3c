/**
 * Copies of what a sandbox has written: its home, and the layers of the folders that it may write to. They lie apart from
 * the sandbox's directory, where its uid can't reach them. Nothing of the sandbox may run while they are made or put back.
 */
import { randomUUID } from "node:crypto";
import { lstat, mkdir, readdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { runAsOwner } from "../../files/as-owner.ts";
import { copyTree } from "../../files/copy-tree.ts";
import { removeTree } from "../../files/remove-tree.ts";
import type { SavedState } from "../driver.ts";
import { directoriesIn, layersDirectory, sandboxesDirectory } from "./sandbox-directories.ts";

/** What begins so is being made, or was when a gateway ended; no name of a copy does. */
const UNFINISHED = ".";

export class SavedStates {
  private readonly stateDirectory: string;

  constructor(stateDirectory: string) {
    this.stateDirectory = stateDirectory;
  }

  /** Whole, or not at all. */
  async save(sandboxId: string, name: string): Promise<SavedState> {
    const directory = this.directory(sandboxId);
    const unfinished = join(directory, `${UNFINISHED}${randomUUID()}`);
    await mkdir(unfinished, { recursive: true, mode: 0o700 });
    try {
      for (const [part, path] of Object.entries(this.parts(sandboxId))) {
        if (await isDirectory(path)) await copyTree(path, join(unfinished, part));
      }
      await rename(unfinished, join(directory, name));
    } catch (error) {
      await removeTree(unfinished);
      throw error;
    }
    return await this.state(sandboxId, name);
  }

  /** Oldest first. */
  async list(sandboxId: string): Promise<SavedState[]> {
    const names = await readdir(this.directory(sandboxId)).catch(() => []);
    const finished = names.filter((name) => !name.startsWith(UNFINISHED));
    const states = await Promise.all(finished.map((name) => this.state(sandboxId, name)));
    return states.sort((one, other) => one.createdAtMs - other.createdAtMs);
  }

  /** Puts the parts of a copy in the place of the sandbox's own; these are gone then. */
  async restore(sandboxId: string, name: string): Promise<void> {
    await this.replace(sandboxId, (part) => join(this.directory(sandboxId), name, part));
  }

  /** Gives a sandbox that has written nothing yet the state of another, as its own. */
  async copy(from: string, to: string, owners?: { readonly from: number; readonly to: number }): Promise<void> {
    const source = this.parts(from);
    await this.replace(to, (part) => source[part], owners);
  }

  async remove(sandboxId: string, name: string): Promise<void> {
    await removeTree(join(this.directory(sandboxId), name));
  }

  /** Of a sandbox that is deleted. */
  async removeAll(sandboxId: string): Promise<void> {
    await removeTree(this.directory(sandboxId));
  }

  /** First all copies, which takes its time, and then only names. */
  private async replace(
    sandboxId: string,
    sourceOf: (part: keyof Parts) => string,
    owners?: { readonly from: number; readonly to: number },
  ): Promise<void> {
    const work = join(this.directory(sandboxId), `${UNFINISHED}${randomUUID()}`);
    await mkdir(work, { recursive: true, mode: 0o700 });
    const parts = Object.entries(this.parts(sandboxId)) as [keyof Parts, string][];
    try {
      for (const [part] of parts) {
        if (await isDirectory(sourceOf(part))) await copyTree(sourceOf(part), join(work, part));
      }
      if (owners) {
        const ids = [`--from=${owners.from}:${owners.from}`, `${owners.to}:${owners.to}`];
        await runAsOwner("chown", ["--recursive", "--no-dereference", ...ids, "--", work]);
      }
      for (const [part, path] of parts) {
        if (await isDirectory(path)) await rename(path, join(work, `${part}-before`));
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        if (await isDirectory(join(work, part))) await rename(join(work, part), path);
      }
    } finally {
      await removeTree(work);
    }
  }

  private async state(sandboxId: string, name: string): Promise<SavedState> {
    const { ctimeMs } = await lstat(join(this.directory(sandboxId), name));
    return { name, createdAtMs: Math.floor(ctimeMs) };
  }

  private directory(sandboxId: string): string {
    return join(this.stateDirectory, "snapshots", sandboxId);
  }

  private parts(sandboxId: string): Parts {
    const { home, state } = directoriesIn(join(sandboxesDirectory(this.stateDirectory), sandboxId));
    return { home, layers: join(state, "layers"), folders: layersDirectory(this.stateDirectory, sandboxId) };
  }
}

interface Parts {
  readonly home: string;
  /** Of the policy's folders. */
  readonly layers: string;
  /** Of those that were asked for beside it. */
  readonly folders: string;
}

/** A link in its place, which only a broken supervisor could have left, is none. */
async function isDirectory(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() === true;
}
