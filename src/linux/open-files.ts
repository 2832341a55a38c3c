/** Directories and files that every user of the machine may read, whatever the umask of whoever makes them. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export function makeOpenDirectory(path: string): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o755);
}

/** Texts by their names below the directory; what is there under these names is replaced. */
export function writeOpenFiles(directory: string, texts: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(texts)) {
    const path = join(directory, name);
    makeOpenDirectory(dirname(path));
    writeFileSync(path, text);
    chmodSync(path, 0o644);
  }
}
