/**
 * Makes an archive of files: tar in its POSIX form (pax), with links, modes and times. One file is open at a time, and no
 * more of it in memory than a few pieces.
 */
import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, open, readlink } from "node:fs/promises";
import { join } from "node:path";
import { type Header, type Pack, pack as tarPack } from "tar-stream";
import { digestOfStart, HAVE, type Offer } from "./offer.ts";
import { errnoOf, fileFailure, TransferFailure } from "./transfer-failure.ts";
import { writable } from "./writable.ts";

/** What is to be packed. */
export interface Source {
  /** A folder, or a single file. */
  readonly root: string;
  /** What the root is called in the archive; `.` packs what is in it without a folder around. */
  readonly name: string;
  /** Relative to the root, folders after what is in them. */
  readonly paths: AsyncIterable<string>;
  /** How many bytes its files have, as far as one can say before they are read; looks at all of them. */
  readonly bytes: () => Promise<number>;
}

type Packed = Omit<Source, "bytes">;

/** Hears how a copy goes on. */
export interface Listener {
  packed(entry: { readonly isFile: boolean; readonly bytes: number }): void;
  /** Something is not copied, and why. */
  leftOut(path: string, why: string): void;
  /** So many bytes of a file are at the other end already. */
  skipped?(bytes: number): void;
}

/** What the other end has, by its names in the archive. */
export type Offers = ReadonlyMap<string, Offer>;

/** As much as is read from a file at once. */
const READ_BYTES = 128 * 1024;

/** So many files with several names are remembered; of further ones each name becomes a file of its own. */
const MAX_LINKED_FILES = 100_000;

/** Marks the mode as given even if it is 0, which tar-stream would take for none. Not part of what is written. */
const MODE_IS_GIVEN = 0o100000;

type EntryHeader = Parameters<Pack["entry"]>[0];

/** Throws TransferFailure for what cannot be read. */
export async function* pack(source: Packed, listener: Listener, offers: Offers = new Map()): AsyncGenerator<Buffer> {
  const archive = tarPack();
  const filling = fill({ archive, listener, offers, firstNames: new Map() }, source).then(
    () => archive.finalize(),
    (error: Error) => archive.destroy(error),
  );
  try {
    for await (const piece of archive) yield piece as Buffer;
  } finally {
    archive.destroy();
    await filling;
  }
}

interface Packing {
  readonly archive: Pack;
  readonly listener: Listener;
  readonly offers: Offers;
  /** Of files that have several names: the one they were packed under. */
  readonly firstNames: Map<string, string>;
}

async function fill(packing: Packing, { root, name, paths }: Packed): Promise<void> {
  for await (const path of paths) {
    const entryName = name === "." ? path : [name, path].filter(Boolean).join("/");
    if (entryName === "") continue;
    const file = path === "" ? root : join(root, path);
    requireUtf8(file);
    const stats = await lstat(file).catch((error) => {
      // Gone since it was listed.
      if (errnoOf(error) === "ENOENT") return undefined;
      throw fileFailure(error, file);
    });
    if (!stats) continue;
    const added = await addEntry(packing, { file, entryName, stats });
    if (added) packing.listener.packed({ isFile: !stats.isDirectory(), bytes: added.bytes });
  }
}

interface Addition {
  readonly file: string;
  readonly entryName: string;
  readonly stats: Stats;
}

async function addEntry(
  packing: Packing,
  { file, entryName, stats }: Addition,
): Promise<{ bytes: number } | undefined> {
  const { archive, firstNames, listener } = packing;
  if (stats.isDirectory()) return await addWithoutBody(archive, headers(entryName, "directory", stats));
  if (stats.isSymbolicLink()) {
    const linkname = await readlink(file);
    requireUtf8(linkname);
    return await addWithoutBody(archive, { ...headers(entryName, "symlink", stats), linkname });
  }
  if (!stats.isFile()) {
    listener.leftOut(file, "neither a file nor a folder nor a link");
    return undefined;
  }
  const identity = `${stats.dev}:${stats.ino}`;
  const linkname = stats.nlink > 1 ? firstNames.get(identity) : undefined;
  if (linkname !== undefined) return await addWithoutBody(archive, { ...headers(entryName, "link", stats), linkname });
  if (stats.nlink > 1 && firstNames.size < MAX_LINKED_FILES) firstNames.set(identity, entryName);
  return await addFile(packing, file, entryName);
}

function headers(name: string, type: Header["type"], stats: Stats, more: Record<string, string> = {}): EntryHeader {
  return {
    name,
    type,
    mode: (stats.mode & 0o777) | MODE_IS_GIVEN,
    // The classic field ends in 2038 and has whole seconds; the extended one replaces it.
    mtime: new Date(0),
    pax: { mtime: (stats.mtimeMs / 1000).toFixed(6), ...more },
  };
}

function addWithoutBody(archive: Pack, header: EntryHeader): Promise<{ bytes: number }> {
  return new Promise((resolve, reject) => {
    archive.entry(header, (error) => (error ? reject(error) : resolve({ bytes: 0 })));
  });
}

async function addFile(packing: Packing, path: string, entryName: string): Promise<{ bytes: number }> {
  const { archive, listener } = packing;
  // Should it have become a link or a pipe meanwhile, it is not followed, and nothing waits for a writer.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch((error) => {
    throw fileFailure(error, path);
  });
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new TransferFailure(`${path}: changed while it was read`, "copy again");
    const start = await agreedStart(packing.offers.get(entryName), handle, stats.size);
    if (start > 0) listener.skipped?.(start);
    const header = headers(entryName, "file", stats, start > 0 ? { [HAVE]: `${start}` } : {});
    await new Promise<void>((resolve, reject) => {
      const settled = (error?: Error | null) => (error ? reject(error) : resolve());
      const body = archive.entry({ ...header, size: stats.size - start }, settled);
      // What goes wrong with it is told to the callback.
      body.on("error", () => {});
      writeBody(body, handle, { start, end: stats.size }).catch((error) =>
        body.destroy(fileFailure(error, path) as Error),
      );
    });
    return { bytes: stats.size };
  } finally {
    await handle.close();
  }
}

/** How much of the file the other end has as it is here: all that it offers, or nothing. */
async function agreedStart(offer: Offer | undefined, handle: FileHandle, size: number): Promise<number> {
  if (offer === undefined || offer.bytes > size) return 0;
  return (await digestOfStart(handle, offer.bytes)) === offer.sha256 ? offer.bytes : 0;
}

/** Exactly these bytes: what is appended meanwhile is not part of it. */
async function writeBody(
  body: ReturnType<Pack["entry"]>,
  handle: FileHandle,
  { start, end }: { readonly start: number; readonly end: number },
): Promise<void> {
  for (let at = start; at < end; ) {
    const piece = Buffer.allocUnsafe(Math.min(READ_BYTES, end - at));
    const { bytesRead } = await handle.read(piece, 0, piece.length, at);
    if (bytesRead === 0) throw new TransferFailure("a file became shorter while it was read", "copy again");
    at += bytesRead;
    if (!body.write(piece.subarray(0, bytesRead))) await writable(body);
  }
  body.end(undefined);
}

/** Node shows bytes that are no UTF-8 as U+FFFD, and would open a file of another name. */
function requireUtf8(path: string): void {
  if (path.includes("\ufffd")) {
    throw new TransferFailure(`${path}: the name is not UTF-8`, "rename it, or leave it out");
  }
}
