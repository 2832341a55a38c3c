/**
 * Everything in a folder, as paths relative to it.
 */
import { opendir } from "node:fs/promises";
import { join } from "node:path";
import { fileFailure } from "./transfer-failure.ts";

/**
 * Depth first, each folder after what is in it: whoever unpacks can then give a folder its mode and time at once, for good.
 * The root itself comes last, as the empty path. Links are not followed. What is below a folder that is not `entered` is left out.
 */
export async function* walkTree(
  root: string,
  path = "",
  entered: (path: string) => boolean = () => true,
): AsyncGenerator<string> {
  try {
    for await (const child of await opendir(join(root, path))) {
      const childPath = path === "" ? child.name : `${path}/${child.name}`;
      if (!child.isDirectory()) yield childPath;
      else if (entered(childPath)) yield* walkTree(root, childPath, entered);
      else yield childPath;
    }
  } catch (error) {
    throw fileFailure(error, join(root, path));
  }
  yield path;
}
