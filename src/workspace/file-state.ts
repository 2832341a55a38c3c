/** What of a file says whether it is still the same, and what is to be told of it. */
import type { BigIntStats } from "node:fs";
import type { Folder } from "./folder.ts";

export type FileKind = "file" | "link" | "folder" | "other";

export interface FileState {
  readonly kind: FileKind;
  /** As lstat(2) has it, type included. */
  readonly mode: number;
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly inode: bigint;
  /** Of a symbolic link; empty for all others. */
  readonly linkTarget: string;
}

const S_IFMT = 0o170000;
const kinds = new Map<number, FileKind>([
  [0o100000, "file"],
  [0o120000, "link"],
  [0o040000, "folder"],
]);

export function kindOf(mode: number): FileKind {
  return kinds.get(mode & S_IFMT) ?? "other";
}

/** How `name` is in the folder; undefined if it is not there. */
export async function readState(folder: Folder, name: string): Promise<FileState | undefined> {
  const status = await folder.status(name);
  if (status === undefined) return undefined;
  return stateOf(status, kindOf(Number(status.mode)) === "link" ? await folder.linkTarget(name) : "");
}

export function stateOf({ mode, size, mtimeNs, ino }: BigIntStats, linkTarget: string): FileState {
  const kind = kindOf(Number(mode));
  // A folder changes its size and time with what is in it, which is looked at by itself.
  const [ownSize, ownTime] = kind === "folder" ? [0, 0n] : [Number(size), mtimeNs];
  return { kind, mode: Number(mode), size: ownSize, mtimeNs: ownTime, inode: ino, linkTarget };
}

/** Whether nobody has touched it. What is not there is the same as what is not there. */
export function isSameState(one: FileState | undefined, other: FileState | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  if (one.kind === "folder") return other.kind === "folder";
  return (
    one.mode === other.mode &&
    one.size === other.size &&
    one.mtimeNs === other.mtimeNs &&
    one.inode === other.inode &&
    one.linkTarget === other.linkTarget
  );
}
