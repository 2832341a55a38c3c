/**
 * How a folder was when a sandbox was given its view of it: the third side of a comparison, by which a file that the
 * sandbox has changed is told from one that has changed in the folder itself meanwhile. On disk, since a folder may hold
 * more files than there is memory for.
 */
import { rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { type FileState, kindOf, readState } from "./file-state.ts";
import { Folder, MAX_DEPTH } from "./folder.ts";

/** Files of a folder that is given to a sandbox. Each costs a look at the start and some hundred bytes on disk. */
const MAX_FILES = 1_000_000;

/** Files that are looked at together: enough to keep the threads busy that Node asks the kernel with. */
const AT_ONCE = 64;

/** What is not recorded, so that changes there can't be told from the sandbox's. */
export class FolderTooLarge extends Error {}

export class FolderRecord implements Disposable {
  private readonly database: DatabaseSync;
  private readonly select;
  private readonly replace;
  private readonly remove;

  private constructor(database: DatabaseSync) {
    this.database = database;
    this.select = database.prepare("SELECT mode, size, mtime_ns, inode, link_target FROM files WHERE path = ?");
    this.select.setReadBigInts(true);
    this.replace = database.prepare("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)");
    this.remove = database.prepare("DELETE FROM files WHERE path = ?");
  }

  static open(path: string): FolderRecord {
    const database = new DatabaseSync(path);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    database.exec(`CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, mode INTEGER NOT NULL, size INTEGER NOT NULL,
      mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL, link_target TEXT NOT NULL) STRICT, WITHOUT ROWID`);
    return new FolderRecord(database);
  }

  /** Writes down a whole folder. Rejects with FolderTooLarge, and then leaves no record. */
  static async take(folder: string, path: string): Promise<void> {
    using record = FolderRecord.open(path);
    await using root = await Folder.at(folder);
    record.database.exec("BEGIN");
    try {
      await record.addAll(root, { prefix: "", depth: 0, count: { files: 0 } });
      record.database.exec("COMMIT");
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    }
  }

  /** Undefined for what was not there. */
  at(path: string): FileState | undefined {
    const row = this.select.get(path) as Record<string, bigint | string> | undefined;
    if (row === undefined) return undefined;
    const mode = Number(row["mode"]);
    return {
      kind: kindOf(mode),
      mode,
      size: Number(row["size"]),
      mtimeNs: row["mtime_ns"] as bigint,
      inode: BigInt.asUintN(64, row["inode"] as bigint),
      linkTarget: String(row["link_target"]),
    };
  }

  /** The folder and the sandbox agree on this: whatever led there, it is what later changes are measured by. */
  agree(path: string, state: FileState | undefined): void {
    if (state === undefined) this.remove.run(path);
    // SQLite has no unsigned integers, and some file systems' inodes have all bits.
    else
      this.replace.run(path, state.mode, state.size, state.mtimeNs, BigInt.asIntN(64, state.inode), state.linkTarget);
  }

  [Symbol.dispose](): void {
    this.database.close();
  }

  private async addAll(
    folder: Folder,
    { prefix, depth, count }: { readonly prefix: string; readonly depth: number; readonly count: { files: number } },
  ): Promise<void> {
    const names = await folder.names();
    count.files += names.length;
    if (count.files > MAX_FILES) throw new FolderTooLarge(`it holds more than ${MAX_FILES} files`);
    if (depth > MAX_DEPTH) throw new FolderTooLarge(`${prefix} lies deeper than ${MAX_DEPTH} folders`);
    for (let at = 0; at < names.length; at += AT_ONCE) {
      const some = names.slice(at, at + AT_ONCE);
      const states = await Promise.all(some.map((name) => readState(folder, name)));
      for (const [index, state] of states.entries()) {
        const name = some[index] ?? "";
        if (state !== undefined) this.agree(prefix + name, state);
        if (state?.kind !== "folder") continue;
        await using inner = await openReadable(folder, name);
        if (inner) await this.addAll(inner, { prefix: `${prefix}${name}/`, depth: depth + 1, count });
      }
    }
  }
}

/** What the gateway's user may not read, a sandbox of that user's may not either. */
async function openReadable(folder: Folder, name: string): Promise<Folder | undefined> {
  try {
    return await folder.folder(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EACCES") return undefined;
    throw error;
  }
}
