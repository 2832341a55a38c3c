/**
 * What a sandbox has changed in a folder: its upper layer beside the folder as it is now, and the record of how it was.
 *
 * The layer is a sandbox's work and hostile: names are whatever it likes, and it may change while it is read. Both trees
 * are read by folder.ts alone, so that no link of either leads anywhere. What can't be told exactly is told as an
 * obstacle, and nothing is left out in silence.
 *
 * Where folder and layer agree, the record is brought up to that: it is the state from which each goes its own way.
 */
import type { FileHandle } from "node:fs/promises";
import { leadsOut } from "../transfer/entry-path.ts";
import { type FileState, isSameState, readState, stateOf } from "./file-state.ts";
import { Folder, MAX_DEPTH } from "./folder.ts";
import type { FolderRecord } from "./folder-record.ts";
import { looksTheSame, sameBytes } from "./same-contents.ts";
import { isOpaque, isWhiteout } from "./upper-layer.ts";

export interface Change {
  /** Relative to the folder. */
  readonly path: string;
  /** Undefined: new. */
  readonly before: FileState | undefined;
  /** Undefined: deleted. */
  readonly after: FileState | undefined;
  /** The folder itself has changed there since the sandbox was given its view. */
  readonly conflict: boolean;
  /** Why it can be shown, but neither patched nor applied. */
  readonly obstacle?: string;
  /** Opens a regular file of either side; only until the next change is asked for. */
  open(side: "before" | "after"): Promise<FileHandle>;
}

export interface View {
  /** The folder itself. */
  readonly folder: string;
  /** The overlay's upper layer. */
  readonly upper: string;
  readonly record: FolderRecord;
}

/** Gives the changes, deletions ahead of what takes their place. `paths`: only at and below these; none: all. */
export async function* changes(view: View, paths: readonly string[]): AsyncGenerator<Change> {
  await using upper = await Folder.at(view.upper);
  await using lower = await Folder.at(view.folder);
  yield* new Comparison(view.record, paths).folders({ upper, lower, prefix: "", depth: 0 });
}

/** The same folder on both sides; on the lower one it may be missing. */
interface Pair {
  readonly upper: Folder;
  readonly lower: Folder | undefined;
  /** Its path with a `/`, or empty for the whole. */
  readonly prefix: string;
  readonly depth: number;
}

class Comparison {
  private readonly record: FolderRecord;
  private readonly paths: readonly string[];

  constructor(record: FolderRecord, paths: readonly string[]) {
    this.record = record;
    this.paths = paths;
  }

  async *folders(pair: Pair): AsyncGenerator<Change> {
    const { upper, lower, prefix } = pair;
    const names = await upper.names();
    const hidden = lower && isOpaque(upper) ? await lower.names() : [];
    for (const name of [...new Set([...names, ...hidden])].sort()) {
      const path = prefix + name;
      if (!this.isOnTheWay(path)) continue;
      try {
        yield* this.name(pair, name);
      } catch (error) {
        yield obstacle(path, whyUnreadable(error));
      }
    }
  }

  private async *name(pair: Pair, name: string): AsyncGenerator<Change> {
    const { upper, lower, prefix } = pair;
    const path = prefix + name;
    const before = lower && (await readState(lower, name));
    const status = await upper.status(name);
    if (status === undefined && name.includes("\ufffd")) {
      yield obstacle(path, "its name is not UTF-8");
    } else if (status === undefined || isWhiteout(status)) {
      if (lower && before) yield* this.deleted(lower, name, { path, before, depth: pair.depth });
      else this.agree(path, undefined);
    } else {
      const after = (await readState(upper, name)) ?? stateOf(status, "");
      if (after.kind === "folder") yield* this.innerFolder(pair, name, { before, after });
      else yield* this.file(pair, name, { before, after });
    }
  }

  private async *innerFolder(pair: Pair, name: string, { before, after }: Sides): AsyncGenerator<Change> {
    const path = pair.prefix + name;
    if (pair.depth >= MAX_DEPTH) return yield obstacle(path, `it lies deeper than ${MAX_DEPTH} folders`);
    if (pair.lower && before && before.kind !== "folder") {
      yield* this.deleted(pair.lower, name, { path, before, depth: pair.depth });
    }
    if (before?.kind === "folder") this.agree(path, before);
    else if (this.isWanted(path)) yield this.change(pair, name, { after, replaced: before });
    await using upper = await pair.upper.folder(name);
    await using lower = before?.kind === "folder" ? await pair.lower?.folder(name) : undefined;
    if (upper) yield* this.folders({ upper, lower, prefix: `${path}/`, depth: pair.depth + 1 });
  }

  private async *file(pair: Pair, name: string, { before, after }: Sides): AsyncGenerator<Change> {
    const path = pair.prefix + name;
    if (!this.isWanted(path)) return;
    if (after.kind === "other") return yield obstacle(path, "it is neither a file nor a folder nor a link");
    // Before anything is deleted for it: what can't be applied as a whole should not be by half.
    const isNew = before?.kind !== "link" || before.linkTarget !== after.linkTarget;
    if (after.kind === "link" && isNew && leadsOut(after.linkTarget, path.split("/").length - 1)) {
      return yield obstacle(path, `a link that may lead out of the folder: ${after.linkTarget}`);
    }
    if (pair.lower && before?.kind === "folder") {
      yield* this.deleted(pair.lower, name, { path, before, depth: pair.depth });
      return yield this.change(pair, name, { after, replaced: before });
    }
    const change = this.change(pair, name, { before, after });
    if (before && looksTheSame(before, after) && (after.kind === "link" || (await haveSameBytes(change)))) {
      this.agree(path, before);
    } else {
      yield change;
    }
  }

  /** All that is in a folder, then the folder. */
  private async *deleted(
    lower: Folder,
    name: string,
    { path, before, depth }: { readonly path: string; readonly before: FileState; readonly depth: number },
  ): AsyncGenerator<Change> {
    if (before.kind === "folder") {
      if (depth >= MAX_DEPTH) return yield obstacle(path, `it lies deeper than ${MAX_DEPTH} folders`);
      await using inner = await lower.folder(name);
      for (const each of (await inner?.names()) ?? []) {
        const state = inner && (await readState(inner, each));
        if (!inner || !state || !this.isOnTheWay(`${path}/${each}`)) continue;
        yield* this.deleted(inner, each, { path: `${path}/${each}`, before: state, depth: depth + 1 });
      }
    }
    if (this.isWanted(path)) yield this.change({ lower, prefix: path.slice(0, -name.length) }, name, { before });
  }

  private change(
    { upper, lower, prefix }: { readonly upper?: Folder; readonly lower: Folder | undefined; readonly prefix: string },
    name: string,
    { before, after, replaced = before }: Difference,
  ): Change {
    const path = prefix + name;
    return {
      path,
      before,
      after,
      conflict: !isSameState(this.record.at(path), replaced),
      open: async (side) => {
        const folder = side === "before" ? lower : upper;
        if (!folder) throw new Error(`${path} has no ${side}`);
        return await folder.file(name);
      },
    };
  }

  private agree(path: string, state: FileState | undefined): void {
    if (!isSameState(this.record.at(path), state)) this.record.agree(path, state);
  }

  private isWanted(path: string): boolean {
    return this.paths.length === 0 || this.paths.some((wanted) => path === wanted || path.startsWith(`${wanted}/`));
  }

  /** Whether it is wanted, or a folder around what is. */
  private isOnTheWay(path: string): boolean {
    return this.isWanted(path) || this.paths.some((wanted) => wanted.startsWith(`${path}/`));
  }
}

interface Difference {
  readonly before?: FileState | undefined;
  readonly after?: FileState;
  /** What was deleted before this took its place. */
  readonly replaced?: FileState | undefined;
}

interface Sides {
  readonly before: FileState | undefined;
  readonly after: FileState;
}

async function haveSameBytes(change: Change): Promise<boolean> {
  await using before = await change.open("before");
  await using after = await change.open("after");
  return await sameBytes(before, after);
}

/** Something that can be shown, and no more. */
export function obstacle(path: string, why: string): Change {
  const open = () => Promise.reject(new Error(`${path}: ${why}`));
  return { path, before: undefined, after: undefined, conflict: false, obstacle: why, open };
}

/** Of what the file system says; everything else is a defect. */
function whyUnreadable(error: unknown): string {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) throw error;
  return code === "EACCES" ? "its mode lets nobody read it" : `it can't be read (${code})`;
}
