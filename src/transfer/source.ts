/**
 * What is named to be copied. A link that is named itself is followed, as cp(1) does not follow those inside.
 */
import { lstat, realpath, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Source } from "./pack.ts";
import { fileFailure, TransferFailure } from "./transfer-failure.ts";
import { walkTree } from "./walk-tree.ts";

/** What the copy is called: the path's last step. `.`, `..` and `/` mean what is in the folder, without one around it. */
export function copyName(path: string): string {
  const name = basename(path);
  return name === "" || name === ".." ? "." : name;
}

/** @param list gives a folder's paths, folders after what is in them. Throws TransferFailure. */
export async function openSource(
  path: string,
  name: string,
  list: (folder: string) => AsyncIterable<string> = walkTree,
): Promise<Source> {
  try {
    const root = await realpath(path);
    const stats = await stat(root);
    if (stats.isDirectory()) return { root, name, paths: list(root), bytes: () => bytesOf(root, list(root)) };
    if (stats.isFile()) return { root, name, paths: onlyItself(), bytes: async () => stats.size };
  } catch (error) {
    throw fileFailure(error, path);
  }
  throw new TransferFailure(`${path}: neither a file nor a folder`);
}

/** What is gone by now, or can't be looked at, counts as nothing: the copy itself tells of that. */
async function bytesOf(root: string, paths: AsyncIterable<string>): Promise<number> {
  let bytes = 0;
  for await (const path of paths) {
    const stats = await lstat(join(root, path)).catch(() => undefined);
    if (stats?.isFile()) bytes += stats.size;
  }
  return bytes;
}

async function* onlyItself(): AsyncGenerator<string> {
  yield "";
}
