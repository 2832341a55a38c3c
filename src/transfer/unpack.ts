/**
 * Puts an archive's files where they are for. The archive may be a sandbox's, and hostile:
 *
 * - names that could lead anywhere but below the destination end the whole copy, and so does what is no file, folder or link;
 * - everything is made anew in a folder of its own (staging.ts), nothing is opened that was there or made twice, and every
 *   folder on the way is looked at and must be one: nothing is written through a link, whoever made it;
 * - of modes only the nine permission bits are taken; owners are not;
 * - where `links` is `inside`, symbolic links that might lead out of what is copied are left out, and told.
 *
 * Memory is bounded whatever the archive says; the room that it takes on disk is not, and is freed if the copy fails. Of one
 * that breaks off and may be gone on with it stays, for the next to begin with (stock.ts).
 */
import { constants } from "node:fs";
import { chmod, link, lstat, lutimes, mkdir, open, stat, symlink, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Extract, extract, type Header } from "tar-stream";
import { entrySteps, leadsOut, type Steps } from "./entry-path.ts";
import { HAVE, type Offer } from "./offer.ts";
import type { Listener } from "./pack.ts";
import { openStaging } from "./staging.ts";
import type { Stock } from "./stock.ts";
import { errnoOf, fileFailure, TransferFailure } from "./transfer-failure.ts";
import { writable } from "./writable.ts";

export interface Destination {
  /** As cp(1) takes it: a folder that exists, or a path that ends in `/`, gets the copy inside; else it is the copy's name. */
  readonly path: string;
  /** What the copy is called; `.` if it is the contents of a folder, which are then put into `path`. */
  readonly name: string;
  /** Whether symbolic links may lead out of the copy. */
  readonly links: "anywhere" | "inside";
  /** Absent: what has arrived of a copy that breaks off is removed. */
  readonly resumption?: Resumption;
}

/** A copy that is gone on with when it is asked for again. */
export interface Resumption {
  /** The same for the same copy, and for no other: lower-case hex. */
  readonly key: string;
  /** Tells the archive's maker what is here already, before the archive is read. */
  offer(offers: AsyncIterable<Offer>): Promise<void>;
  /** Whether what has arrived may stay, now that the copy has broken off. */
  isKept(): boolean;
}

type Entry = Extract extends AsyncIterable<infer E> ? E : never;

/** Nothing is changed unless `archive` comes to its end. Throws TransferFailure. */
export async function unpack(
  archive: AsyncIterable<Uint8Array>,
  destination: Destination,
  listener: Listener,
): Promise<void> {
  const { folder, top } = await place(destination);
  const { resumption } = destination;
  const staging = await openStaging(folder, resumption?.key);
  let hasBrokenOff = false;
  try {
    const unpacking = new Unpacking({ root: staging.path, stock: staging.stock, top, destination, listener });
    await resumption?.offer(unpacking.offers());
    const reader = extract();
    const feed = new Feed(archive, reader);
    try {
      for await (const entry of reader) await unpacking.take(entry);
      await feed.ended;
    } catch (error) {
      if (feed.failure === undefined) throw error;
    }
    hasBrokenOff = feed.failure !== undefined;
    if (hasBrokenOff) throw feed.failure;
    await staging.commit();
  } finally {
    if (!hasBrokenOff || resumption?.isKept() !== true) await staging.discard();
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
  readonly stock: Stock;
  readonly top: string | undefined;
  readonly destination: Destination;
  readonly listener: Listener;
}

class Unpacking {
  private readonly where: Where;
  /** The folder that was looked at last; nothing takes a folder's place once it is one. */
  private lastFolder = "";

  constructor(where: Where) {
    this.where = where;
  }

  /** What is here of an earlier copy, by the names that it has in the archive. */
  async *offers(): AsyncGenerator<Offer> {
    const { stock, top, destination } = this.where;
    for await (const offer of stock.offers()) {
      if (top === undefined) yield offer;
      else if (offer.path === top) yield { ...offer, path: destination.name };
      else if (offer.path.startsWith(`${top}/`)) {
        yield { ...offer, path: `${destination.name}${offer.path.slice(top.length)}` };
      }
    }
  }

  async take(entry: Entry): Promise<void> {
    const { header } = entry;
    const steps = this.stepsOf(header.name);
    const path = join(this.where.root, ...steps);
    try {
      await this.requireFolder(steps.slice(0, -1));
      const isMade = await this.make(entry, steps, path);
      const bytes = header.size + haveOf(header);
      if (isMade) this.where.listener.packed({ isFile: header.type !== "directory", bytes });
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
        await this.takeFromStock(header, steps, path);
        await this.writeFile(entry, path);
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

  /** Puts what is here already of the file to its place, where the archive has the rest alone. */
  private async takeFromStock(header: Header, steps: Steps, path: string): Promise<void> {
    const have = haveOf(header);
    if (have === 0) return;
    const isFree = await lstat(path).then(
      () => false,
      (error) => errnoOf(error) === "ENOENT",
    );
    if (!isFree) throw hostile(header.name, "is in the archive twice");
    if (!(await this.where.stock.take(steps, have, path))) {
      throw hostile(header.name, "has a beginning that was not offered");
    }
    this.where.listener.skipped?.(have);
  }

  private async writeFile(entry: Entry, path: string): Promise<void> {
    const have = haveOf(entry.header);
    const made = have > 0 ? 0 : constants.O_CREAT | constants.O_EXCL;
    const handle = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW | made, 0o600);
    try {
      let at = have;
      for await (const piece of entry as AsyncIterable<Buffer>) {
        await this.requireOwn();
        for (let done = 0; done < piece.length; ) {
          const { bytesWritten } = await handle.write(piece, done, piece.length - done, at + done);
          done += bytesWritten;
        }
        at += piece.length;
      }
      if ((await handle.stat()).size !== at) throw takenOver();
      await handle.chmod(modeOf(entry.header));
      await handle.utimes(...timesOf(entry.header));
    } finally {
      await handle.close();
    }
  }

  /** A file that is open would be written on where the next copy has it, which has taken over the folder. */
  private async requireOwn(): Promise<void> {
    await lstat(this.where.root).catch((error) => {
      throw errnoOf(error) === "ENOENT" ? takenOver() : error;
    });
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

function modeOf({ mode }: Header): number {
  return mode & 0o777;
}

/** How much of a file is not in the archive, since it was offered. */
function haveOf(header: Header): number {
  const have = paxOf(header, HAVE);
  return /^[1-9]\d{0,15}$/.test(have) ? Number(have) : 0;
}

function paxOf(header: Header, name: string): string {
  return (header.pax as Readonly<Record<string, string>> | null | undefined)?.[name] ?? "";
}

/** Access time and modification time, in seconds. */
function timesOf(header: Header): [number, number] {
  const extended = paxOf(header, "mtime");
  const isNumber = /^-?\d{1,11}(\.\d{1,9})?$/.test(extended);
  return [Date.now() / 1000, isNumber ? Number(extended) : header.mtime.getTime() / 1000];
}

function takenOver(): TransferFailure {
  return new TransferFailure("the same copy was begun once more, and goes on there");
}

function hostile(name: string, why: string): TransferFailure {
  return new TransferFailure(`the archive is refused, and nothing was changed: "${name}" ${why}`);
}
