/** Inputs that once broke something. They are kept, one file each, and tried first ever after. */
import { createHash } from "node:crypto";
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const directoryOf = (target: string): string => join(import.meta.dirname, "corpus", target);

export function keptInputs(target: string): Buffer[] {
  const directory = directoryOf(target);
  return globSync("*.bin", { cwd: directory })
    .sort()
    .map((file) => readFileSync(join(directory, file)));
}

/** Keeps an input; gives the file's path. */
export function keepInput(target: string, input: Buffer): string {
  const name = `${createHash("sha256").update(input).digest("hex").slice(0, 16)}.bin`;
  const file = join(directoryOf(target), name);
  mkdirSync(directoryOf(target), { recursive: true });
  writeFileSync(file, input);
  return file;
}
