/**
 * Puts an archive's files where they are for. The archive may be a sandbox's, and hostile:
 *
 * - names that could lead anywhere but below the destination end the whole copy, and so does what is no file, folder or link;
 * - everything is made anew in a folder of its own (staging.ts), nothing is opened that was there or made twice, and every
 *   folder on the way is looked at and must be one: nothing is written through a link, whoever made it;
 * - of modes only the nine permission bits are taken; owners are not;
 * - where `links` is `inside`, symbolic links that might lead out of what is copied are left out, and told.
 *
 * Memory is bounded whatever the archive says; the room that it takes on disk is not, and is freed if the copy breaks off.
 */
import { constants } from "node:fs";
import { chmod, link, lstat, lutimes, mkdir, open, stat, symlink, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Extract, extract, type Header } from "tar-stream";
import { entrySteps, leadsOut, type Steps } from "./entry-path.ts";
import type { Listener } from "./pack.ts";
import { openStaging } from "./staging.ts";
import { errnoOf, fileFailure, TransferFailure } from "./transfer-failure.ts";
import { writable } from "./writable.ts";

export interface Destination {
  /** As cp(1) takes it: a folder that exists, or a path that ends in `/`, gets the copy inside; else it is the copy's name. */
  readonly path: string;
  /** What the copy is called; `.` if it is the contents of a folder, which are then put into `path`. */
  readonly name: string;
  /** Whether symbolic links may lead out of the copy. */
  readonly links: "anywhere" | "inside";
}

type Entry = Extract extends AsyncIterable<infer E> ? E : never;

export type UnpackListener = Pick<Listener, "packed" | "leftOut">;

/** Nothing is changed unless `archive` comes to its end. Throws TransferFailure. */
export async function unpack(
  archive: AsyncIterable<Uint8Array>,
  destination: Destination,
  listener: UnpackListener,
): Promise<void> {
  const { folder, top } = await place(destination);
  const staging = await openStaging(folder);
  try {
    const unpacking = new Unpacking({ root: staging.path, top, destination, listener });
    const reader = extract();
    const feed = new Feed(archive, reader);
    try {
      for await (const entry of reader) await unpacking.take(entry);
    } catch (error) {
      throw feed.failure ?? error;
    }
    await feed.ended;
    if (feed.failure !== undefined) throw feed.failure;
    await staging.commit();
  } finally {
    await staging.discard();
  }
}

/** In which folder the copy goes, and under what name; none for a folder's contents. */
async function place({ path, name }: Destination): Promise<{ folder: string; top: string | undefined }> {
  if (name === ".") return { folder: path, top: undefined };
  const there = await stat(path).catch((error) => {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw fileFailure(error, path);
  });
  if (path.endsWith("/") || there?.isDirectory()) return { folder: path, top: name };
  return { folder: dirname(path), top: basename(path) };
}

/** The archive on its way into its reader. */
class Feed {
  /** What went wrong with the archive, as opposed to what is in it. */
  failure: unknown;
  /** Never rejects: a failure ends the reader, and is there to be asked for. */
  readonly ended: Promise<void>;

  constructor(archive: AsyncIterable<Uint8Array>, reader: Extract) {
    // Whoever reads it is told; without a listener Node would throw.
    reader.on("error", () => {});
    this.ended = this.run(archive, reader).catch((error: Error) => {
      this.failure = error;
      reader.destroy(error);
    });
  }

  private async run(archive: AsyncIterable<Uint8Array>, reader: Extract): Promise<void> {
    for await (const piece of archive) {
      if (reader.destroyed) return;
      if (!reader.write(piece)) await writable(reader);
    }
    reader.end(undefined);
  }
}

interface Where {
  readonly root: string;
  readonly top: string | undefined;
  readonly destination: Destination;
  readonly listener: UnpackListener;
}

class Unpacking {
  private readonly where: Where;
  /** The folder that was looked at last; nothing takes a folder's place once it is one. */
  private lastFolder = "";

  constructor(where: Where) {
    this.where = where;
  }

  async take(entry: Entry): Promise<void> {
    const { header } = entry;
    const steps = this.stepsOf(header.name);
    const path = join(this.where.root, ...steps);
    try {
      await this.requireFolder(steps.slice(0, -1));
      const isMade = await this.make(entry, steps, path);
      if (isMade) this.where.listener.packed({ isFile: header.type !== "directory", bytes: header.size });
    } catch (error) {
      if (errnoOf(error) === "EEXIST") throw hostile(header.name, "is in the archive twice");
      throw fileFailure(error, join(this.where.destination.path, ...steps.slice(1)));
    }
    // What has not been read of it is passed over.
    for await (const _ of entry);
  }

  private async make(entry: Entry, steps: Steps, path: string): Promise<boolean> {
    const { header } = entry;
    switch (header.type) {
      case "file":
        await writeFile(entry, path);
        return true;
      case "directory":
        await this.requireFolder(steps);
        await chmod(path, modeOf(header));
        await utimes(path, ...timesOf(header));
        return true;
      case "link":
        await this.linkFile(header, path);
        return true;
      case "symlink":
        return await this.makeLink(header, steps, path);
      default:
        throw hostile(header.name, "is neither a file nor a folder nor a link");
    }
  }

  /** The name in the archive, with its first step replaced by what the copy is to be called. */
  private stepsOf(name: string): Steps {
    const steps = entrySteps(name);
    if (!steps) throw hostile(name, "is no name below the destination");
    const { top, destination } = this.where;
    if (top === undefined) return steps;
    if (steps[0] !== destination.name) throw hostile(name, "was not asked for");
    return [top, ...steps.slice(1)];
  }

  /** Makes the folder and those around it where they are missing. What is there under their names must be folders. */
  private async requireFolder(steps: readonly string[]): Promise<void> {
    const whole = steps.join("/");
    if (whole === this.lastFolder) return;
    let path = this.where.root;
    for (const step of steps) {
      path = join(path, step);
      try {
        // Writable until its own entry, which comes after what is in it.
        await mkdir(path, 0o700);
      } catch (error) {
        if (errnoOf(error) !== "EEXIST") throw error;
        if (!(await lstat(path)).isDirectory()) throw hostile(whole, "goes through what is no folder");
      }
    }
    this.lastFolder = whole;
  }

  /** A further name of a file that came before. */
  private async linkFile(header: Header, path: string): Promise<void> {
    const target = this.stepsOf(header.linkname ?? "");
    await this.requireFolder(target.slice(0, -1));
    const first = join(this.where.root, ...target);
    if (!(await lstat(first)).isFile()) throw hostile(header.name, "is a second name of what is no file");
    await link(first, path);
  }

  private async makeLink(header: Header, steps: Steps, path: string): Promise<boolean> {
    const { top, destination, listener } = this.where;
    const target = header.linkname ?? "";
    const depth = steps.length - (top === undefined ? 1 : 2);
    if (destination.links === "inside" && leadsOut(target, depth)) {
      listener.leftOut(header.name, `a link that may lead out of the copy: ${target}`);
      return false;
    }
    await symlink(target, path);
    await lutimes(path, ...timesOf(header));
    return true;
  }
}

async function writeFile(entry: Entry, path: string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const handle = await open(path, flags, 0o600);
  try {
    for await (const piece of entry) await handle.writeFile(piece as Buffer);
    await handle.chmod(modeOf(entry.header));
    await handle.utimes(...timesOf(entry.header));
  } finally {
    await handle.close();
  }
}

function modeOf({ mode }: Header): number {
  return mode & 0o777;
}

/** Access time and modification time, in seconds. */
function timesOf(header: Header): [number, number] {
  const extended = (header.pax as Readonly<Record<string, string>> | null | undefined)?.["mtime"] ?? "";
  const isNumber = /^-?\d{1,11}(\.\d{1,9})?$/.test(extended);
  return [Date.now() / 1000, isNumber ? Number(extended) : header.mtime.getTime() / 1000];
}

function hostile(name: string, why: string): TransferFailure {
  return new TransferFailure(`the archive is refused, and nothing was changed: "${name}" ${why}`);
}
