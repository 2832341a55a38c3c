/**
 * Makes an archive of files: tar in its POSIX form (pax), with links, modes and times. One file is open at a time, and no
 * more of it in memory than a few pieces.
 */
import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, open, readlink } from "node:fs/promises";
import { join } from "node:path";
import { type Header, type Pack, pack as tarPack } from "tar-stream";
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
}

/** As much as is read from a file at once. */
const READ_BYTES = 128 * 1024;

/** So many files with several names are remembered; of further ones each name becomes a file of its own. */
const MAX_LINKED_FILES = 100_000;

/** Marks the mode as given even if it is 0, which tar-stream would take for none. Not part of what is written. */
const MODE_IS_GIVEN = 0o100000;

type EntryHeader = Parameters<Pack["entry"]>[0];

/** Throws TransferFailure for what cannot be read. */
export async function* pack(source: Packed, listener: Listener): AsyncGenerator<Buffer> {
  const archive = tarPack();
  const filling = fill(archive, source, listener).then(
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

async function fill(archive: Pack, { root, name, paths }: Packed, listener: Listener): Promise<void> {
  const firstNames = new Map<string, string>();
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
    const added = await addEntry(archive, { file, entryName, stats, firstNames, listener });
    if (added) listener.packed({ isFile: !stats.isDirectory(), bytes: added.bytes });
  }
}

interface Addition {
  readonly file: string;
  readonly entryName: string;
  readonly stats: Stats;
  /** Of files that have several names: the one they were packed under. */
  readonly firstNames: Map<string, string>;
  readonly listener: Listener;
}

async function addEntry(archive: Pack, addition: Addition): Promise<{ bytes: number } | undefined> {
  const { file, entryName, stats, firstNames, listener } = addition;
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
  return await addFile(archive, file, entryName);
}

function headers(name: string, type: Header["type"], stats: Stats): EntryHeader {
  return {
    name,
    type,
    mode: (stats.mode & 0o777) | MODE_IS_GIVEN,
    // The classic field ends in 2038 and has whole seconds; the extended one replaces it.
    mtime: new Date(0),
    pax: { mtime: (stats.mtimeMs / 1000).toFixed(6) },
  };
}

function addWithoutBody(archive: Pack, header: EntryHeader): Promise<{ bytes: number }> {
  return new Promise((resolve, reject) => {
    archive.entry(header, (error) => (error ? reject(error) : resolve({ bytes: 0 })));
  });
}

async function addFile(archive: Pack, path: string, entryName: string): Promise<{ bytes: number }> {
  // Should it have become a link or a pipe meanwhile, it is not followed, and nothing waits for a writer.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch((error) => {
    throw fileFailure(error, path);
  });
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new TransferFailure(`${path}: changed while it was read`, "copy again");
    await new Promise<void>((resolve, reject) => {
      const settled = (error?: Error | null) => (error ? reject(error) : resolve());
      const body = archive.entry({ ...headers(entryName, "file", stats), size: stats.size }, settled);
      // What goes wrong with it is told to the callback.
      body.on("error", () => {});
      writeBody(body, handle, stats.size).catch((error) => body.destroy(fileFailure(error, path) as Error));
    });
    return { bytes: stats.size };
  } finally {
    await handle.close();
  }
}

/** Exactly `size` bytes: what is appended meanwhile is not part of it. */
async function writeBody(body: ReturnType<Pack["entry"]>, handle: FileHandle, size: number): Promise<void> {
  for (let at = 0; at < size; ) {
    const piece = Buffer.allocUnsafe(Math.min(READ_BYTES, size - at));
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
