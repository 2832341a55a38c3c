/**
 * Events as lines of JSON in a file a day (UTC): `NAME.YYYY-MM-DD.EXT` beside the path that is configured. The oldest files
 * go when there are more than are to be kept.
 */
import { type FileHandle, mkdir, open, readdir, rm } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import type { Sink } from "./sink.ts";

export interface FileSinkOptions {
  readonly path: string;
  readonly keptFiles: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function fileSink({ path, keptFiles, now }: FileSinkOptions): Sink {
  const directory = dirname(path);
  const extension = extname(path);
  const stem = basename(path, extension);
  let current: { readonly day: string; readonly file: FileHandle } | undefined;

  async function fileOf(day: string): Promise<FileHandle> {
    if (current?.day === day) return current.file;
    await current?.file.close();
    current = undefined;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const file = await open(join(directory, `${stem}.${day}${extension}`), "a", 0o600);
    current = { day, file };
    await removeOldest(day);
    return file;
  }

  /** But today's, which may be the oldest where the clock was wrong for days. */
  async function removeOldest(today: string): Promise<void> {
    const ours = (await readdir(directory)).filter((name) => isDayFile(name, stem, extension)).sort();
    for (const name of ours.slice(0, -keptFiles)) {
      if (name !== `${stem}.${today}${extension}`) await rm(join(directory, name), { force: true });
    }
  }

  return {
    async send(events) {
      const file = await fileOf(new Date(now()).toISOString().slice(0, 10));
      const { size } = await file.stat();
      try {
        await file.appendFile(events.map(({ json }) => `${json}\n`).join(""));
        // The outbox forgets them now.
        await file.datasync();
      } catch (error) {
        // A disk that is full takes a part; it will be written again whole.
        await file.truncate(size).catch(() => {});
        throw error;
      }
    },
    async close() {
      await current?.file.close();
      current = undefined;
    },
  };
}

function isDayFile(name: string, stem: string, extension: string): boolean {
  return (
    name.startsWith(`${stem}.`) &&
    name.endsWith(extension) &&
    /^\d{4}-\d{2}-\d{2}$/.test(name.slice(stem.length + 1, name.length - extension.length))
  );
}
