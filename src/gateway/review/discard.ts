/**
 * Forgets what a sandbox has changed in its workspace, so that it sees the folder as it is. Only while it is stopped: an
 * overlay whose layers change underneath it shows what it likes.
 */

import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Folder } from "../../workspace/folder.ts";
import { isOpaque, isWhiteout } from "../../workspace/upper-layer.ts";
import type { GatewayContext } from "../context.ts";
import type { FolderLayer } from "../drivers/driver.ts";
import { removeTree } from "../files/remove-tree.ts";
import { failedPrecondition } from "../refuse.ts";
import { whileStopped } from "../sandboxes/while-stopped.ts";
import { placementOf, type SandboxRecord } from "../store/store.ts";
import { requirePaths, requireWorkspaceFolder } from "./review.ts";

/** `paths` as in a review; none: everything. Throws FAILED_PRECONDITION, and then has discarded nothing. */
export async function discardChanges(
  context: GatewayContext,
  sandbox: SandboxRecord,
  paths: readonly string[],
): Promise<void> {
  const { target } = requireWorkspaceFolder(sandbox);
  requirePaths(paths);
  const layer = context.driver.layer(placementOf(sandbox), target);
  const work = () => discardFrom(layer, paths);
  await whileStopped(context, sandbox, { doing: "its changes are discarded", work });
}

async function discardFrom(layer: FolderLayer, paths: readonly string[]): Promise<void> {
  await using upper = await Folder.at(layer.upper);
  for (const path of paths) await requireReachable(upper, path);
  // Out of the layer at once, and then away, which may take its time.
  const discarded = join(dirname(layer.upper), `discarded-${randomUUID()}`);
  await mkdir(discarded, { mode: 0o700 });
  const all = paths.length > 0 ? paths : await upper.names();
  for (const [index, path] of all.entries()) {
    await moveOut(upper, path.split("/"), join(discarded, String(index)));
  }
  await removeTree(discarded);
}

/** Nothing, if the layer does not have it: then it has not changed. */
async function moveOut(folder: Folder, [step = "", ...deeper]: readonly string[], to: string): Promise<void> {
  if (deeper.length === 0) {
    if ((await folder.status(step)) !== undefined) await folder.moveOut(step, to);
    return;
  }
  await using inner = await folder.folder(step);
  if (inner) await moveOut(inner, deeper, to);
}

/** What a deleted or replaced folder around the path hides would not come back with the path alone. */
async function requireReachable(upper: Folder, path: string): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const steps = path.split("/");
  let folder = upper;
  for (const [index, step] of steps.slice(0, -1).entries()) {
    const status = await folder.status(step);
    if (status === undefined) return;
    const inner = await folder.folder(step);
    if (inner && !isOpaque(stack.use(inner))) {
      folder = inner;
      continue;
    }
    const around = steps.slice(0, index + 1).join("/");
    const done = isWhiteout(status) ? "deleted" : "replaced";
    throw failedPrecondition(`the sandbox has ${done} ${around}; discard that, and ${path} with it`);
  }
}
