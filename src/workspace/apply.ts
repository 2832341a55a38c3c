/**
 * Puts a sandbox's changes into the folder that it has a view of, as whoever runs this program. The changes are a
 * sandbox's and hostile, and the folder may change meanwhile:
 *
 * - every step of a path is opened by itself and must be a folder: nothing is written through a link (folder.ts);
 * - a file is replaced only if it is still as the sandbox saw it, and by rename(2): it is the old or the new, never half;
 * - of modes only the nine permission bits are taken; what is no file, folder or link is never made.
 */
import { randomUUID } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { leadsOut } from "../transfer/entry-path.ts";
import { type FileState, isSameState, readState } from "./file-state.ts";
import type { Folder } from "./folder.ts";

export interface ChangeToApply {
  readonly path: string;
  readonly before: FileState | undefined;
  readonly after: FileState | undefined;
}

/** Why one change was not applied; all others can be. */
export class NotApplied extends Error {}

const PERMISSIONS = 0o777;
const PREFIX = ".openshell-apply-";

/** @param contents of a file, read to its end only if it is applied. Throws NotApplied, and then has changed nothing. */
export async function applyChange(
  root: Folder,
  { path, before, after }: ChangeToApply,
  contents: AsyncIterable<Buffer>,
): Promise<void> {
  const steps = path.split("/");
  const name = steps.pop() ?? "";
  if ([...steps, name].some((step) => step === "" || step === "." || step === "..")) throw new NotApplied("no path");
  await using way = await openWay(root, steps, { isToBeMade: after !== undefined });
  const { folder } = way;
  if (folder === undefined) return;
  await requireState(folder, name, before);
  if (after === undefined) return await remove(folder, name, before);
  switch (after.kind) {
    case "folder":
      await folder.newFolder(name);
      await folder.setMode(name, after.mode & PERMISSIONS);
      return await giveAway(folder, name, undefined);
    case "file":
      return await putInPlace(folder, name, { before, make: (as) => writeFile(folder, as, { after, contents }) });
    case "link":
      if (leadsOut(after.linkTarget, steps.length))
        throw new NotApplied(`a link that may lead out of the folder: ${after.linkTarget}`);
      return await putInPlace(folder, name, { before, make: (as) => folder.newLink(as, after.linkTarget) });
    case "other":
      throw new NotApplied("neither a file nor a folder nor a link");
    default:
      after.kind satisfies never;
  }
}

interface Way extends AsyncDisposable {
  /** Undefined: there is no such folder, and none was to be made. */
  readonly folder: Folder | undefined;
}

async function openWay(
  root: Folder,
  steps: readonly string[],
  { isToBeMade }: { readonly isToBeMade: boolean },
): Promise<Way> {
  await using stack = new AsyncDisposableStack();
  let folder: Folder | undefined = root;
  for (const step of steps) {
    const around: Folder = folder;
    if (isToBeMade && (await around.status(step)) === undefined) {
      await around.newFolder(step);
      await giveAway(around, step, undefined);
    }
    folder = await around.folder(step);
    if (folder === undefined && (await around.status(step)) !== undefined) throw new NotApplied(`${step} is no folder`);
    if (folder === undefined) break;
    stack.use(folder);
  }
  const open = stack.move();
  return { folder, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

async function requireState(folder: Folder, name: string, expected: FileState | undefined): Promise<void> {
  if (isSameState(await readState(folder, name), expected)) return;
  throw new NotApplied("it has changed in the folder since it was compared");
}

async function remove(folder: Folder, name: string, before: FileState | undefined): Promise<void> {
  if (before === undefined) return;
  if (before.kind !== "folder") return await folder.remove(name);
  try {
    await folder.removeFolder(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
    throw new NotApplied("the folder is not empty");
  }
}

/** Makes it under a name that nothing has, and moves it once it is whole. */
async function putInPlace(
  folder: Folder,
  name: string,
  { before, make }: { readonly before: FileState | undefined; readonly make: (as: string) => Promise<void> },
): Promise<void> {
  const as = `${PREFIX}${randomUUID()}`;
  try {
    await make(as);
    await giveAway(folder, as, await folder.status(name));
    await requireState(folder, name, before);
    if (before !== undefined) return await folder.rename(as, name);
    // A rename would replace what came there in this very moment; a second name can't.
    await folder.link(as, name);
  } catch (error) {
    await folder.remove(as).catch(() => {});
    throw error;
  }
  await folder.remove(as);
}

/** What root makes belongs to whom it belonged to, or to whom the folder around belongs. */
async function giveAway(
  folder: Folder,
  name: string,
  owner: { readonly uid: bigint; readonly gid: bigint } | undefined,
): Promise<void> {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = owner ?? (await folder.ownStatus());
  await folder.setOwner(name, Number(uid), Number(gid));
}

async function writeFile(
  folder: Folder,
  name: string,
  { after, contents }: { readonly after: FileState; readonly contents: AsyncIterable<Buffer> },
): Promise<void> {
  await using file = await folder.newFile(name);
  let length = 0;
  for await (const piece of contents) {
    await writePiece(file, piece, length);
    length += piece.length;
  }
  if (length !== after.size) throw new NotApplied("not all of it arrived");
  await file.truncate(length);
  await file.chmod(after.mode & PERMISSIONS);
}

/** Zeros stay a hole: a sandbox can say that a file has more of them than a disk has room. */
async function writePiece(file: FileHandle, piece: Buffer, position: number): Promise<void> {
  if (piece.every((byte) => byte === 0)) return;
  for (let at = 0; at < piece.length; ) {
    at += (await file.write(piece, at, piece.length - at, position + at)).bytesWritten;
  }
}
