/**
 * The programs that sandboxes run on, as they were when they were started. An upgrade of the package replaces its files in
 * place, and a sandbox that runs would lose what it starts later: uploads, SFTP, shells on terminals. So a gateway copies
 * them beside its state, once for each version, and sandboxes are made from that copy.
 */
import { createHash } from "node:crypto";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { permitsPrograms } from "../../linux/file-system.ts";
import { packageView, type ViewItem } from "../../locations/package-view.ts";

/** What only this machine's user and the gateway run. */
const notForSandboxes = /^(cli|gateway)(-[\w-]+)?\.cjs$/;

/**
 * @param entry the supervisor's program in the package
 * @returns the same program in the copy; `entry` itself where nothing can be copied to that runs
 */
export function keepPrograms(entry: string, stateDirectory: string): string {
  const base = join(stateDirectory, "programs");
  const items = packageView(entry).items.filter(({ isFile }) => !isFile);
  try {
    mkdirSync(base, { recursive: true, mode: 0o700 });
    if (!permitsPrograms(base)) return entry;
    const kept = join(base, versionOf(items));
    if (statSync(kept, { throwIfNoEntry: false }) === undefined) copyTo(kept, items);
    return join(kept, "dist", basename(entry));
  } catch (error) {
    // A full or read-only disk: the sandboxes run from the package then.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return entry;
  }
}

/** Removes the copies but this program's. No sandbox may be there that was started from them. */
export function forgetOtherPrograms(entry: string, stateDirectory: string): void {
  const base = join(stateDirectory, "programs");
  const current = basename(dirname(dirname(entry)));
  if (!existsSync(base)) return;
  for (const name of readdirSync(base))
    if (name !== current) rmSync(join(base, name), { recursive: true, force: true });
}

/** Other files, or files that were written again, are another version. */
function versionOf(items: readonly ViewItem[]): string {
  const hash = createHash("sha256");
  for (const { source, target } of items) {
    for (const name of readdirSync(source, { recursive: true }).map(String).sort()) {
      const { size, mtimeMs, ino } = statSync(join(source, name));
      hash.update(JSON.stringify([target, name, size, mtimeMs, ino]));
    }
  }
  return hash.digest("hex").slice(0, 16);
}

/** Whole or not at all: the name comes last. */
function copyTo(kept: string, items: readonly ViewItem[]): void {
  const scratch = `${kept}.new`;
  rmSync(scratch, { recursive: true, force: true });
  for (const { source, target } of items) {
    cpSync(source, join(scratch, target), {
      recursive: true,
      dereference: true,
      filter: (path) => dirname(path) !== source || !notForSandboxes.test(basename(path)),
    });
  }
  // Read by every sandbox's user, whatever the umask.
  for (const { name, parentPath } of readdirSync(scratch, { recursive: true, withFileTypes: true })) {
    chmodSync(join(parentPath, name), 0o755);
  }
  chmodSync(scratch, 0o755);
  renameSync(scratch, kept);
}
