/**
 * What is named to be copied. A link that is named itself is followed, as cp(1) does not follow those inside.
 */
import { realpath, stat } from "node:fs/promises";
import { basename } from "node:path";
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
    if (stats.isDirectory()) return { root, name, paths: list(root) };
    if (stats.isFile()) return { root, name, paths: onlyItself() };
  } catch (error) {
    throw fileFailure(error, path);
  }
  throw new TransferFailure(`${path}: neither a file nor a folder`);
}

async function* onlyItself(): AsyncGenerator<string> {
  yield "";
}
